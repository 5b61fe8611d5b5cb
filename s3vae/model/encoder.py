"""Networks between one frame (64x64) and one vector. They know nothing of time."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from s3vae.model.architecture import Architecture

SLOPE = 0.2

Frames = Float[Tensor, "frame channel height width"]
Vectors = Float[Tensor, "frame feature"]


def activated(channels: int, *, normalized: bool) -> nn.Sequential:
    """What follows every hidden convolution: the leaky rectifier, after batch normalization."""
    norm = [nn.BatchNorm2d(channels)] if normalized else []
    # in place only on what the normalization has made: a decoder's first input is needed again
    return nn.Sequential(*norm, nn.LeakyReLU(SLOPE, inplace=normalized))


def keep_variance(convolutions: nn.Module) -> None:
    """Weights under which signals neither grow nor fade from layer to layer (He et al. 2015)."""
    gain = nn.init.calculate_gain("leaky_relu", SLOPE)
    for layer in convolutions.modules():
        if not isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            continue
        inputs = layer.in_channels * math.prod(layer.kernel_size)
        if isinstance(layer, nn.ConvTranspose2d):  # each output pixel is reached by a part of these
            inputs //= math.prod(layer.stride)
        nn.init.normal_(layer.weight, std=gain / math.sqrt(inputs))
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def encoder_channels(architecture: Architecture) -> list[int]:
    """Of a frame, then of what each down-sampling convolution makes of it; the last has 4x4."""
    width = architecture.encoder_width
    sizes = [architecture.channels, width, 2 * width, 4 * width]
    return [*sizes, 8 * width] if architecture.encoder == "strided" else sizes


class WithAverages(nn.Module):
    """A frame's features, then the averages over places of the map that they are told by."""

    def __init__(self, hidden: nn.Module, whole: nn.Module) -> None:
        super().__init__()
        self.hidden, self.whole = hidden, whole

    def forward(self, frames: Frames) -> Vectors:
        """Features first."""
        seen = self.hidden(frames)
        return torch.cat([self.whole(seen), seen.mean(dim=(2, 3))], dim=1)


def frame_encoder(architecture: Architecture) -> nn.Module:
    """A frame to its features (-1 to 1): down-sampling convolutions, then one that sees all.

    Where q(z_f | x) looks at averages over places, these follow, one per channel.
    """
    normalized, sizes = architecture.normalized, encoder_channels(architecture)
    if architecture.encoder == "strided":
        convolutions = [nn.Conv2d(i, o, 4, 2, 1, bias=not normalized) for i, o in pairwise(sizes)]
    else:
        strides = (4, 2, 2)
        convolutions = [
            nn.Conv2d(i, o, stride, stride, bias=not normalized)
            for i, o, stride in zip(sizes[:-1], sizes[1:], strides, strict=True)
        ]
    layers: list[nn.Module] = []
    for convolution in convolutions:
        layers += [convolution, activated(convolution.out_channels, normalized=normalized)]
    hidden = nn.Sequential(*layers)
    if not normalized:
        keep_variance(hidden)
    whole = (
        nn.Flatten(),
        nn.Linear(16 * sizes[-1], architecture.features, bias=False),
        nn.BatchNorm1d(architecture.features),
        nn.Tanh(),
    )
    if architecture.static_posterior == "averaged":
        return WithAverages(hidden, nn.Sequential(*whole))
    return nn.Sequential(hidden, *whole)


def transposed_stages(width: int, channels: int, *, bias: bool) -> list[nn.Module]:
    """The paper's decoder after its first layer: 4x4 to 64x64 by four transposed convolutions."""
    return [
        nn.ConvTranspose2d(8 * width, 4 * width, 4, 2, 1, bias=bias),
        nn.ConvTranspose2d(4 * width, 2 * width, 4, 2, 1, bias=bias),
        nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=bias),
        nn.ConvTranspose2d(width, channels, 4, 2, 1),
    ]


def shuffle_stages(width: int, channels: int, *, bias: bool) -> list[nn.Module]:
    """4x4 to 64x64 by convolutions at 4, 8 and 16 pixels, each followed by PixelShuffle."""
    return [
        nn.Sequential(nn.Conv2d(4 * width, 8 * width, 1, bias=bias), nn.PixelShuffle(2)),
        nn.Sequential(nn.Conv2d(2 * width, 4 * width, 3, 1, 1, bias=bias), nn.PixelShuffle(2)),
        nn.Sequential(nn.Conv2d(width, 16 * channels, 3, padding=1), nn.PixelShuffle(4)),
    ]


DECODERS = {
    "transposed": (transposed_stages, (8, 4, 2, 1)),
    "shuffle": (shuffle_stages, (4, 2, 1)),
}
"""By kind: the stages, and how many times the width the channels before each of them are."""


class FrameDecoder(nn.Module):
    """p(x_t | z_f, z_t): the mean of a frame, in [0, 1].

    The codes are spread over 4x4 places, then go through stages; with FiLM z_f also scales and
    shifts the channels before all but the first.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        static, codes = architecture.static, architecture.static + architecture.dynamic
        stages, scales = DECODERS[architecture.decoder]
        self.channels = [scale * architecture.decoder_width for scale in scales]
        normalized = architecture.normalized
        self.spread = nn.Sequential(
            nn.Linear(codes, 16 * self.channels[0], bias=not normalized),
            nn.Unflatten(-1, (self.channels[0], 4, 4)),
        )
        self.before = nn.ModuleList(
            activated(size, normalized=normalized) for size in self.channels
        )
        self.stages = nn.ModuleList(
            stages(architecture.decoder_width, architecture.channels, bias=not normalized)
        )
        if not normalized:
            keep_variance(self.stages[:-1])
        self.filmed = self.channels[1:]
        self.film = nn.Linear(static, 2 * sum(self.filmed)) if architecture.film else None

    def forward(
        self, static: Float[Tensor, "frame static"], dynamic: Float[Tensor, "frame dynamic"]
    ) -> Frames:
        """One frame per pair of codes."""
        hidden = self.spread(torch.cat([static, dynamic], dim=-1))
        films = self._films(static)
        for before, stage, film in zip(self.before, self.stages, films, strict=True):
            hidden = before(hidden)
            if film is not None:
                scale, shift = film[..., None, None].chunk(2, dim=1)
                # bounded, so that a drawn code scales no further than those of training did
                hidden = hidden * (1 + scale.tanh()) + shift
            hidden = stage(hidden)
        frames: Tensor = hidden.sigmoid()
        return frames

    def _films(self, codes: Vectors) -> Sequence[Tensor | None]:
        """What FiLM says before each stage."""
        if self.film is None:
            return [None] * len(self.stages)
        said = self.film(codes).split([2 * size for size in self.filmed], dim=-1)
        return [None, *said]
