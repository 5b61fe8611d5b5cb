"""Clips longer than those of training: encoded in overlapping windows."""

import torch
from jaxtyping import Float
from torch import Tensor

from s3vae.distributions import Gaussian
from s3vae.model.s3vae import S3VAE, Posterior
from s3vae.tensors import Video


def encode_windows(model: S3VAE, video: Video, window: int, overlap: int) -> Posterior:
    """Return q(z_f) and q(z_t) of clips of any length, from windows of `window` frames.

    The recurrent posteriors know clips of the length of training, which `window` should be. Windows
    share `overlap` frames, the last two perhaps more. Mean and standard deviation of z_f are
    averaged over windows, those of z_t are cross-faded where windows overlap. `decode` takes the
    codes as they are, since it decodes each frame from its own z_t. Raises ValueError unless
    0 <= overlap < window.
    """
    if not 0 <= overlap < window:
        msg = f"windows of {window} frames cannot overlap by {overlap}: choose 0 to {window - 1}"
        raise ValueError(msg)
    time = video.shape[1]
    if time <= window:
        return model.encode(video)
    last = time - window
    starts = [*range(0, last, window - overlap), last]
    parts = [model.encode(video[:, start : start + window]) for start in starts]
    static = Gaussian(
        torch.stack([part.static.mean for part in parts]).mean(dim=0),
        torch.stack([part.static.std for part in parts]).mean(dim=0),
    )
    dynamic = Gaussian(
        cross_faded([part.dynamic.mean for part in parts], starts, overlap),
        cross_faded([part.dynamic.std for part in parts], starts, overlap),
    )
    return Posterior(static, dynamic)


def cross_faded(
    parts: list[Float[Tensor, "batch window dim"]], starts: list[int], overlap: int
) -> Float[Tensor, "batch time dim"]:
    """Join windows that start at `starts`; the weight of each rises linearly from its edges."""
    batch, window, dim = parts[0].shape
    ramp = torch.arange(1, window + 1, device=parts[0].device).clamp(max=overlap + 1)
    weight = torch.minimum(ramp, ramp.flip(0))[:, None].float()
    joined = parts[0].new_zeros(batch, starts[-1] + window, dim)
    total = joined.new_zeros(len(joined[0]), 1)
    for start, part in zip(starts, parts, strict=True):
        joined[:, start : start + window] += weight * part
        total[start : start + window] += weight
    return joined / total
