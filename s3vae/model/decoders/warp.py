"""A decoder for what deforms in place, like a face: canonical images of z_f, displaced by z_t."""

import math
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import grid_sample, interpolate

from s3vae.model.architecture import Architecture
from s3vae.model.layers import SLOPE, Frames, Vectors, initialize
from s3vae.tensors import DynamicCode, StaticCode, Video

UNIT = 0.05
"""The displacement of an output of 1, in halves of a frame."""
INITIAL_SCALE = 0.1
"""Of the last layer's weights, so that nothing is displaced at first."""


class WarpDecoder(nn.Module):
    """The mean of p(x_1:T | z_f, z_1:T): two canonical images per clip, warped and mixed per frame.

    z_f draws the images. z_t alone gives the displacement field and the mixing mask, so a motion
    is the same for every appearance. Two images let a mouth open on something.
    """

    grid: Tensor

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        width, coarse = architecture.decoder_width, architecture.coarse
        sizes = [4 * width, 2 * width, width, *[width] * architecture.doublings]
        self.pictures = upsampler(
            architecture.static, coarse, [*sizes, width, 2 * architecture.channels]
        )
        self.bends = upsampler(architecture.dynamic, coarse, [*sizes, 3], last=INITIAL_SCALE)
        self.size = architecture.height, architecture.width
        down, right = ((torch.arange(side) + 0.5) / side * 2 - 1 for side in self.size)
        grid = torch.stack(torch.meshgrid(right, down, indexing="xy"), dim=-1)
        self.register_buffer("grid", grid, persistent=False)

    def forward(self, static: StaticCode, dynamic: DynamicCode) -> Video:
        """Return one clip per pair of codes."""
        # `expand` and `shape`: `repeat_interleave` and `len` would fix sizes in an exported graph
        batch, time = dynamic.shape[:2]
        images = self.pictures(static).sigmoid()[:, None].expand(-1, time, -1, -1, -1)
        frames = self.warp(images.flatten(0, 1), dynamic.flatten(0, 1))
        return frames.reshape(batch, time, *frames.shape[1:])

    def warp(self, images: Float[Tensor, "frame images height width"], motion: Vectors) -> Frames:
        """Return the frames that z_t makes of both canonical images, which lie side by side."""
        field = interpolate(self.bends(motion), size=self.size, mode="bilinear")
        places = self.grid + UNIT * field[:, :2].permute(0, 2, 3, 1)
        first, second = grid_sample(
            images, places, padding_mode="border", align_corners=False
        ).chunk(2, dim=1)
        return second.lerp(first, field[:, 2:].sigmoid().to(second.dtype))


def upsampler(
    codes: int, coarse: tuple[int, int], channels: list[int], last: float = 1.0
) -> nn.Sequential:
    """Return a network from a code to the coarse map of the first channels, doubled per step.

    The weights of the last layer are scaled by `last`.
    """
    layers: list[nn.Module] = [
        nn.Linear(codes, math.prod(coarse) * channels[0]),
        nn.Unflatten(-1, (channels[0], *coarse)),
    ]
    for inputs, outputs in pairwise(channels):
        convolution = nn.Conv2d(inputs, 4 * outputs, 3, 1, 1)
        layers += [nn.LeakyReLU(SLOPE), convolution, nn.PixelShuffle(2)]
    network = nn.Sequential(*layers)
    initialize(network)
    with torch.no_grad():
        convolution.weight *= last
    return network
