"""L_VAE: reconstruction and two KL terms (paper, eq. 4), summed over pixels and time.

Errors of frames of another size than 64x64 are scaled to the sum that 64x64 pixels would have, so
that the same weights serve every size.
"""

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from s3vae.distributions import Gaussian, standard_normal
from s3vae.tensors import Scalar, Video


def reconstruction_error(
    decoded: Video, video: Video, frames_per_clip: int | None = None
) -> Scalar:
    """Return the sum of squares over pixels and time, mean over clips.

    This is -log p(x | z) of a Gaussian up to scale and constant. If only a random subset of the
    `frames_per_clip` frames was decoded, the sum is scaled up to an unbiased estimate.
    """
    time, _, height, width = decoded.shape[1:]
    scale = (frames_per_clip or time) / time * (64 * 64 / (height * width))
    return scale * (decoded - video).square().sum() / len(decoded)


def static_kl(posterior: Gaussian) -> Scalar:
    """Return KL(q(z_f | x) ‖ N(0, I)), mean over clips."""
    prior = standard_normal(*posterior.mean.shape, device=posterior.mean.device)
    return posterior.kl(prior).mean()


def dynamic_kl(posterior: Gaussian, prior: Gaussian) -> Scalar:
    """Return sum_t KL(q(z_t | x_<=t) ‖ p(z_t | z_<t)), mean over clips."""
    return posterior.kl(prior).sum(dim=-1).mean()


def frame_subset(
    batch: int, time: int, count: int, generator: Generator
) -> Int[Tensor, "batch count"]:
    """Draw `count` distinct frame indices for each clip, in order of time."""
    draws = torch.rand(batch, time, generator=generator, device=generator.device)
    return draws.argsort(dim=1)[:, :count].sort(dim=1).values


def take_frames(
    x: Float[Tensor, "batch time *rest"], frames: Int[Tensor, "batch count"]
) -> Float[Tensor, "batch count *rest"]:
    """Return each clip's frames (or codes, or features) at its own frame indices."""
    return x[torch.arange(len(x), device=x.device)[:, None], frames]
