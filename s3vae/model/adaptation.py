"""A model adapted to the appearance of videos, which training never showed."""

import copy
from collections.abc import Iterable, Sequence
from itertools import cycle

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
MOST_FRAMES = 300
"""Frames of a video to which a model is adapted; they are in memory at once."""


EncodedClip = tuple[
    UInt8[Tensor, "_ height width channel"],
    Float[Tensor, " static"],
    Float[Tensor, "_ dynamic"],
]
"""A clip of any number of frames, its z_f and its z_t."""


def adapted(model: S3VAE, clips: Sequence[EncodedClip], steps: Iterable[int]) -> S3VAE:
    """Return a copy of the model that draws clips, given their codes, as they are.

    In each step Adam lessens the squared error of some frames of one clip, in turn. The network
    that draws canonical images from z_f learns; what z_t does stays, so that motions go on fitting.
    Raises ValueError if the decoder has no canonical images: all of it would forget motions.
    """
    copied = copy.deepcopy(model).requires_grad_(False)
    learning = canonical_images(copied.decoder)
    if learning is None:
        decoder = model.architecture.decoder
        raise ValueError(f"`decoder: {decoder}` cannot be adapted: warped and layered ones can")
    optimizer = torch.optim.Adam(learning.requires_grad_().parameters(), LEARNING_RATE)
    generator = torch.Generator().manual_seed(0)
    with torch.enable_grad():
        for _, (frames, static, dynamic) in zip(steps, cycle(clips), strict=False):
            size = (min(FRAMES, len(frames)),)
            chosen = torch.randint(len(frames), size, generator=generator).to(frames.device)
            decoded = copied.decode(static[None], dynamic[chosen][None])
            error = (decoded - to_unit(frames[chosen][None])).square().sum()
            optimizer.zero_grad()
            error.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    optimizer.zero_grad()
    return copied.requires_grad_(False)


def canonical_images(decoder: nn.Module) -> nn.Module | None:
    """Return the network of a decoder that draws canonical images from z_f, if it has one."""
    if isinstance(decoder, LayeredDecoder):
        return decoder.background.pictures
    return decoder.pictures if isinstance(decoder, WarpDecoder) else None
