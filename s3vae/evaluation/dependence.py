"""What z_f and z_t still tell of each other, by the estimate that training minimizes."""

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from s3vae.data.clips import ClipFile
from s3vae.distributions import Gaussian
from s3vae.judge.predictions import BATCH, video_batches
from s3vae.losses.mutual_information import pairwise_information
from s3vae.model.s3vae import S3VAE
from s3vae.runtime import generator_at
from s3vae.tensors import DynamicCode, StaticCode

MOST_CLIPS = 8 * BATCH


@torch.no_grad()
def dependence_scores(
    model: S3VAE, clips: ClipFile, indices: Int[ndarray, " clip"], device: torch.device
) -> dict[str, float]:
    """The mutual information of both codes, and the same on pairs torn apart: nats.

    Of all pairs of a number of z_f and one of z_t, that which shares most, mean over frames and
    batches. The second is the null: what the estimate gives where z_f is another clip's, so where
    nothing is shared. Only the difference means something.
    """
    count = min(len(indices) // BATCH * BATCH or len(indices), MOST_CLIPS)
    order = np.random.default_rng(0).permutation(indices)  # else neighbours look alike
    batches = video_batches(clips, order[:count], device)
    together: list[Tensor] = []
    torn_apart: list[Tensor] = []
    for number, batch in enumerate(batches):
        posterior = model.encode(batch())
        generator = generator_at(device, 0, number)
        static, dynamic = posterior.static.sample(generator), posterior.dynamic.sample(generator)
        of = posterior.static
        for found, by in ((together, 0), (torn_apart, 1)):
            other = Gaussian(of.mean.roll(by, 0), of.std.roll(by, 0))
            found.append(shared(other, posterior.dynamic, static.roll(by, 0), dynamic))
    return {
        "mutual_information": torch.stack(together).mean(dim=0).max().item(),
        "mutual_information_null": torch.stack(torn_apart).mean(dim=0).max().item(),
    }


def shared(
    static: Gaussian, dynamic: Gaussian, static_code: StaticCode, dynamic_code: DynamicCode
) -> Float[Tensor, "static dynamic"]:
    """The mutual information of every pair of numbers, one of each code, mean over frames."""
    numbers = torch.arange(static_code.shape[-1], device=static_code.device)
    return torch.stack(
        [
            pairwise_information(
                static, dynamic, static_code, dynamic_code, number.expand(dynamic_code.shape[-1])
            ).mean(dim=0)
            for number in numbers
        ]
    )
