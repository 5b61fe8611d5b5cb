"""L_SCC, static consistency: z_f must not depend on the order of frames (paper, eq. 5)."""

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from s3vae.losses.elbo import take_frames
from s3vae.tensors import Features, Scalar, StaticCode


def shuffle_frames(
    x: Float[Tensor, "batch time *rest"], generator: Generator
) -> Float[Tensor, "batch time *rest"]:
    """Return the positive: each clip's frames, or their features, in a random order."""
    order = torch.rand(x.shape[:2], generator=generator, device=x.device).argsort(dim=1)
    return take_frames(x, order)


def random_half(features: Features, generator: Generator) -> Float[Tensor, "batch half feature"]:
    """Return the positive for encoders that ignore order: a random half of each clip's frames."""
    return shuffle_frames(features, generator)[:, : max(1, features.shape[1] // 2)]


POSITIVES = {"bilstm": shuffle_frames, "pooled": random_half}
"""The positive by the architecture's posterior of z_f."""


def other_clips(x: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
    """Return the negative: for each clip, or code of a clip, that of another one, never its own."""
    return x.roll(1, dims=0)


def triplet(
    anchor: StaticCode, positive: StaticCode, negative: StaticCode, margin: float
) -> Scalar:
    """Return mean max(|anchor - positive|² - |anchor - negative|² + margin, 0)."""
    near = (anchor - positive).square().sum(dim=-1)
    far = (anchor - negative).square().sum(dim=-1)
    return (near - far + margin).relu().mean()
