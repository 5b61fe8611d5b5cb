"""What z_f and z_t still tell of each other, by the estimate that training minimizes."""

import torch
from jaxtyping import Int
from numpy import ndarray

from s3vae.data.clips import ClipFile
from s3vae.distributions import Gaussian
from s3vae.evaluation.judging import BATCH, video_batches
from s3vae.losses.independence import information_of_numbers
from s3vae.model.s3vae import S3VAE
from s3vae.runtime import generator_at
from s3vae.tensors import DynamicCode, StaticCode


@torch.no_grad()
def dependence_scores(
    model: S3VAE, clips: ClipFile, indices: Int[ndarray, " clip"], device: torch.device
) -> dict[str, float]:
    """The mutual information of both codes, and the same on pairs torn apart: nats.

    Of all pairs of a number of z_f and one of z_t, that which shares most, mean over frames. The
    second is the null: what the estimate gives where z_f is another clip's, so where nothing is
    shared. Only the difference means something.
    """
    names, sums = ("mutual_information", "mutual_information_null"), [0.0, 0.0]
    batches = video_batches(clips, indices[: len(indices) // BATCH * BATCH or None], device)
    for number, batch in enumerate(batches):
        posterior = model.encode(batch())
        generator = generator_at(device, 0, number)
        static, dynamic = posterior.static.sample(generator), posterior.dynamic.sample(generator)
        of = posterior.static
        for torn in (0, 1):
            shifted = Gaussian(of.mean.roll(torn, 0), of.std.roll(torn, 0))
            shared = most_shared(shifted, posterior.dynamic, static.roll(torn, 0), dynamic)
            sums[torn] += shared / len(batches)
    return dict(zip(names, sums, strict=True))


def most_shared(
    static: Gaussian, dynamic: Gaussian, static_code: StaticCode, dynamic_code: DynamicCode
) -> float:
    """The mutual information of the pair of numbers that shares most, mean over frames."""
    numbers = torch.arange(static_code.shape[-1], device=static_code.device)
    return max(
        information_of_numbers(
            static, dynamic, static_code, dynamic_code, number.expand(dynamic_code.shape[-1])
        )
        .mean(dim=0)
        .max()
        .item()
        for number in numbers
    )
