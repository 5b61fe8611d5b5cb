"""The statistical dependence of z_f and z_t, by the estimate that training minimizes."""

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from s3vae.data.clips import ClipFile
from s3vae.distributions import Gaussian
from s3vae.judge.predictions import BATCH, video_batches
from s3vae.losses.mutual_information import paired_information
from s3vae.model.s3vae import S3VAE
from s3vae.runtime import generator_at
from s3vae.tensors import DynamicCode, StaticCode

MOST_CLIPS = 8 * BATCH


@torch.no_grad()
def dependence_scores(
    model: S3VAE, clips: ClipFile, indices: Int[ndarray, " clip"], device: torch.device
) -> dict[str, float]:
    """Return the mutual information of both codes and its null, in nats.

    Each is the largest over all pairs of a dimension of z_f and one of z_t, mean over frames and
    batches. The null is the same estimate with z_f of another clip, so of independent codes. Only
    the difference is meaningful. Both are NaN for a single clip.
    """
    names = "mutual_information", "mutual_information_null"
    if len(indices) == 1:
        return dict.fromkeys(names, float("nan"))
    count = min(len(indices) // BATCH * BATCH or len(indices), MOST_CLIPS)
    order = np.random.default_rng(0).permutation(indices)  # neighbours in a file are alike
    batches = video_batches(clips, order[:count], device)
    estimates: dict[str, list[Tensor]] = {name: [] for name in names}
    for step, batch in enumerate(batches):
        posterior = model.encode(batch())
        generator = generator_at(device, 0, step)
        static, dynamic = posterior.static.sample(generator), posterior.dynamic.sample(generator)
        own = posterior.static
        for shift, name in enumerate(names):
            paired = Gaussian(own.mean.roll(shift, 0), own.std.roll(shift, 0))
            codes = static.roll(shift, 0), dynamic
            estimates[name].append(pairwise_information(paired, posterior.dynamic, *codes))
    return {name: torch.stack(each).mean(dim=0).max().item() for name, each in estimates.items()}


def pairwise_information(
    static: Gaussian, dynamic: Gaussian, static_code: StaticCode, dynamic_code: DynamicCode
) -> Float[Tensor, "static dynamic"]:
    """Return the mutual information of every pair of dimensions, mean over frames."""
    dimensions = torch.arange(static_code.shape[-1], device=static_code.device)
    return torch.stack(
        [
            paired_information(
                static, dynamic, static_code, dynamic_code, each.expand(dynamic_code.shape[-1])
            ).mean(dim=0)
            for each in dimensions
        ]
    )
