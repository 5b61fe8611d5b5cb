"""A model adapted to the appearance of one video, which training never showed."""

import copy
from collections.abc import Iterable

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from s3vae.model.decoders.layered import LayeredDecoder
from s3vae.model.decoders.warp import WarpDecoder
from s3vae.model.s3vae import S3VAE
from s3vae.tensors import to_unit

LEARNING_RATE = 0.003
FRAMES = 15
"""Frames of a step of gradient descent."""


def adapted(
    model: S3VAE,
    frames: UInt8[Tensor, "frame height width channel"],
    static: Float[Tensor, " static"],
    dynamic: Float[Tensor, "frame dynamic"],
    steps: Iterable[int],
) -> S3VAE:
    """Return a copy of the model that draws the appearance of a video, given its codes, as it is.

    In each step Adam lessens the squared error of some frames, chosen at random. If the decoder
    displaces canonical images, only the network that draws them from z_f learns: what z_t does
    stays, so motions go on fitting. Otherwise the whole decoder learns.
    """
    copied = copy.deepcopy(model).requires_grad_(False)
    learning = appearance_layers(copied.decoder).requires_grad_()
    optimizer = torch.optim.Adam(learning.parameters(), LEARNING_RATE)
    generator = torch.Generator().manual_seed(0)
    with torch.enable_grad():
        for _ in steps:
            chosen = torch.randint(len(frames), (FRAMES,), generator=generator).to(frames.device)
            decoded = copied.decode(static[None], dynamic[chosen][None])
            error = (decoded - to_unit(frames[chosen][None])).square().sum()
            optimizer.zero_grad()
            error.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return copied


def appearance_layers(decoder: nn.Module) -> nn.Module:
    """Return the layers of a decoder that z_f alone passes, or all if there are no such layers."""
    if isinstance(decoder, LayeredDecoder):
        return decoder.background.pictures
    return decoder.pictures if isinstance(decoder, WarpDecoder) else decoder
