"""What z_f and z_t still tell of each other, by the estimate that training minimizes."""

import torch
from jaxtyping import Int
from numpy import ndarray

from s3vae.data.clips import ClipFile
from s3vae.distributions import Gaussian
from s3vae.evaluation.judging import BATCH, video_batches
from s3vae.losses.independence import mutual_information_estimate
from s3vae.model.s3vae import S3VAE
from s3vae.runtime import generator_at


@torch.no_grad()
def dependence_scores(
    model: S3VAE, clips: ClipFile, indices: Int[ndarray, " clip"], device: torch.device
) -> dict[str, float]:
    """The mutual information of both codes, nats per frame, and the same on pairs torn apart.

    The second is the null: what the estimate gives where z_f is another clip's, so where nothing is
    shared. Only the difference means something.
    """
    sums = {"mutual_information": 0.0, "mutual_information_null": 0.0}
    batches = video_batches(clips, indices[: len(indices) // BATCH * BATCH or None], device)
    for number, batch in enumerate(batches):
        posterior = model.encode(batch())
        generator = generator_at(device, 0, number)
        static, dynamic = posterior.static.sample(generator), posterior.dynamic.sample(generator)
        for name, shift in (("mutual_information", 0), ("mutual_information_null", 1)):
            static_of = posterior.static
            torn = Gaussian(static_of.mean.roll(shift, 0), static_of.std.roll(shift, 0))
            estimate = mutual_information_estimate(
                torn, posterior.dynamic, static.roll(shift, 0), dynamic
            )
            sums[name] += estimate.mean().item() / len(batches)
    return sums
