"""Networks between one frame (64x64) and one vector. They know nothing of time."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from s3vae.model.architecture import Architecture

SLOPE = 0.2
HIGHEST_FREQUENCY = 6 * math.pi
"""Radians from the middle of a frame to its edge, about: a wavelength of a few pixels."""

Frames = Float[Tensor, "frame channel height width"]
Vectors = Float[Tensor, "frame feature"]


def activated(channels: int) -> nn.Sequential:
    """Batch normalization and the leaky rectifier that follow every hidden convolution."""
    return nn.Sequential(nn.BatchNorm2d(channels), nn.LeakyReLU(SLOPE, inplace=True))


def frame_encoder(architecture: Architecture) -> nn.Sequential:
    """A frame to its features (-1 to 1): down-sampling convolutions, then one that sees all."""
    width, channels = architecture.encoder_width, architecture.channels
    if architecture.encoder == "strided":
        sizes = [channels, width, 2 * width, 4 * width, 8 * width]
        convolutions = [nn.Conv2d(i, o, 4, 2, 1, bias=False) for i, o in pairwise(sizes)]
    else:
        sizes = [channels, width, 2 * width, 4 * width]
        strides = (4, 2, 2)
        convolutions = [
            nn.Conv2d(i, o, stride, stride, bias=False)
            for i, o, stride in zip(sizes[:-1], sizes[1:], strides, strict=True)
        ]
    layers: list[nn.Module] = []
    for convolution in convolutions:
        layers += [convolution, activated(convolution.out_channels)]
    return nn.Sequential(
        *layers,
        nn.Conv2d(sizes[-1], architecture.features, 4, bias=False),
        nn.BatchNorm2d(architecture.features),
        nn.Flatten(),
        nn.Tanh(),
    )


def transposed_stages(width: int, channels: int) -> list[nn.Module]:
    """The paper's decoder after its first layer: 4x4 to 64x64 by four transposed convolutions."""
    return [
        nn.ConvTranspose2d(8 * width, 4 * width, 4, 2, 1, bias=False),
        nn.ConvTranspose2d(4 * width, 2 * width, 4, 2, 1, bias=False),
        nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=False),
        nn.ConvTranspose2d(width, channels, 4, 2, 1),
    ]


def shuffle_stages(width: int, channels: int) -> list[nn.Module]:
    """4x4 to 64x64 by convolutions at 4, 8 and 16 pixels, each followed by PixelShuffle."""
    return [
        nn.Sequential(nn.Conv2d(4 * width, 8 * width, 1, bias=False), nn.PixelShuffle(2)),
        nn.Sequential(
            nn.Conv2d(2 * width, 4 * width, 3, padding=1, bias=False), nn.PixelShuffle(2)
        ),
        nn.Sequential(nn.Conv2d(width, 16 * channels, 3, padding=1), nn.PixelShuffle(4)),
    ]


def broadcast_stages(width: int, channels: int) -> list[nn.Module]:
    """16x16 to 64x64: the same layers at each of the 16x16 places, which then gives 4x4 pixels."""
    return [
        nn.Conv2d(4 * width, 2 * width, 1, bias=False),
        nn.Conv2d(2 * width, 2 * width, 1, bias=False),
        nn.Sequential(nn.Conv2d(2 * width, 16 * channels, 1), nn.PixelShuffle(4)),
    ]


class Waves(nn.Module):
    """Codes to channels of plane waves over a grid of positions: sin(w·position + phase(codes)).

    To shift a wave is to add to its phase, so where an object is enters linearly; what it looks
    like is left to the layers above.
    """

    grid: Tensor

    def __init__(self, codes: int, channels: int, size: int) -> None:
        super().__init__()
        line = torch.linspace(-1, 1, size)
        self.register_buffer("grid", torch.cartesian_prod(line, line), persistent=False)
        self.size = size
        self.frequencies = nn.Parameter(HIGHEST_FREQUENCY / 2 * torch.randn(2, channels))
        self.phase = nn.Linear(codes, channels)

    def forward(self, codes: Vectors) -> Frames:
        """One grid of waves per vector."""
        waves = self.grid @ self.frequencies + self.phase(codes)[:, None]
        grids: Tensor = waves.sin().mT.reshape(len(codes), -1, self.size, self.size)
        return grids


class FrameDecoder(nn.Module):
    """p(x_t | z_f, z_t): the mean of a frame, in [0, 1]."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        width, channels = architecture.decoder_width, architecture.channels
        codes = architecture.static + architecture.dynamic
        stages, inputs = {
            "transposed": (transposed_stages, (8, 4, 2, 1)),
            "shuffle": (shuffle_stages, (4, 2, 1)),
            "broadcast": (broadcast_stages, (4, 2, 2)),
        }[architecture.decoder]
        self.channels = [scale * width for scale in inputs]
        self.spread: nn.Module = (
            Waves(codes, self.channels[0], 16)
            if architecture.decoder == "broadcast"
            else nn.Sequential(
                nn.Linear(codes, 16 * self.channels[0], bias=False),
                nn.Unflatten(-1, (self.channels[0], 4, 4)),
            )
        )
        self.before = nn.ModuleList(activated(size) for size in self.channels)
        self.stages = nn.ModuleList(stages(width, channels))
        self.film = (
            nn.Linear(architecture.static, 2 * sum(self.channels[1:]))
            if architecture.film
            else None
        )

    def forward(
        self, static: Float[Tensor, "frame static"], dynamic: Float[Tensor, "frame dynamic"]
    ) -> Frames:
        """One frame per pair of codes."""
        hidden = self.spread(torch.cat([static, dynamic], dim=-1))
        scales = self._scales(static)
        for before, stage, film in zip(self.before, self.stages, scales, strict=True):
            hidden = before(hidden)
            if film is not None:
                scale, shift = film[..., None, None].chunk(2, dim=1)
                # bounded, so that a drawn z_f scales no further than those of training did
                hidden = hidden * (1 + scale.tanh()) + shift
            hidden = stage(hidden)
        frames: Tensor = hidden.sigmoid()
        return frames

    def _scales(self, static: Float[Tensor, "frame static"]) -> Sequence[Tensor | None]:
        if self.film is None:
            return [None] * len(self.stages)
        return [None, *self.film(static).split([2 * size for size in self.channels[1:]], dim=-1)]
