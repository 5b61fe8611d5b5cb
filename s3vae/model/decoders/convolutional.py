"""The paper's decoder of transposed convolutions, and a cheaper one of sub-pixel convolutions."""

import math
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from s3vae.model.architecture import Architecture
from s3vae.model.layers import Frames, activation, initialize


def transposed_stages(sizes: list[int], channels: int, *, bias: bool) -> list[nn.Module]:
    """Return the paper's transposed convolutions: one that doubles after each of these sizes."""
    convolutions = [nn.ConvTranspose2d(*pair, 4, 2, 1, bias=bias) for pair in pairwise(sizes)]
    return [*convolutions, nn.ConvTranspose2d(sizes[-1], channels, 4, 2, 1)]


def shuffle_stages(sizes: list[int], channels: int, *, bias: bool) -> list[nn.Module]:
    """Return convolutions with PixelShuffle, which double; the last one quadruples.

    Sub-pixel convolutions: Shi et al., CVPR 2016.
    """
    (coarse, second), *others = pairwise(sizes)
    convolutions = [
        nn.Conv2d(coarse, 4 * second, 1, bias=bias),
        *(nn.Conv2d(size, 4 * after, 3, 1, 1, bias=bias) for size, after in others),
    ]
    last = nn.Conv2d(sizes[-1], 16 * channels, 3, padding=1)
    doubling = [nn.Sequential(each, nn.PixelShuffle(2)) for each in convolutions]
    return [*doubling, nn.Sequential(last, nn.PixelShuffle(4))]


STAGES = {"transposed": (transposed_stages, (8, 4, 2, 1)), "shuffle": (shuffle_stages, (4, 2, 1))}
"""By kind: the stages, and the channels before each at 64x64 in multiples of the width."""


class ConvolutionalDecoder(nn.Module):
    """The mean of p(x_t | z_f, z_t), intensities in [0, 1].

    A linear layer maps both codes to the coarse map (4x4 at 64x64), which the stages enlarge. The
    output has `channels`, by default those of a frame.
    """

    def __init__(self, architecture: Architecture, channels: int | None = None) -> None:
        super().__init__()
        codes, normalized = architecture.static + architecture.dynamic, architecture.normalized
        stages, multiples = STAGES[architecture.decoder]
        width, coarse = architecture.decoder_width, architecture.coarse
        sizes = [multiple * width for multiple in (*multiples, *[1] * architecture.doublings)]
        outputs = channels or architecture.channels
        self.spread = nn.Sequential(
            nn.Linear(codes, math.prod(coarse) * sizes[0], bias=not normalized),
            nn.Unflatten(-1, (sizes[0], *coarse)),
        )
        self.before = nn.ModuleList(activation(size, normalized=normalized) for size in sizes)
        self.stages = nn.ModuleList(stages(sizes, outputs, bias=not normalized))
        if not normalized:
            initialize(self.stages[:-1])

    def forward(
        self, static: Float[Tensor, "frame static"], dynamic: Float[Tensor, "frame dynamic"]
    ) -> Frames:
        """Return one frame per pair of codes."""
        hidden = self.spread(torch.cat([static, dynamic], dim=-1))
        for before, stage in zip(self.before, self.stages, strict=True):
            hidden = stage(before(hidden))
        frames: Tensor = hidden.sigmoid()
        return frames
