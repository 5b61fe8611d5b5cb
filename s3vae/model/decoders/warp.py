"""A decoder for what bends rather than moves about, like a face: pictures of z_f, bent by z_t."""

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import grid_sample, interpolate

from s3vae.model.architecture import Architecture
from s3vae.model.encoder import SLOPE, Frames, Vectors, keep_variance
from s3vae.tensors import DynamicCode, StaticCode, Video

FRAME = 64
UNIT = 0.05
"""Of half a frame: how far 1 moves a pixel."""
FIRST_BENDS = 0.1
"""How far the last layer's weights are scaled down at first, so that nothing is bent yet."""


class WarpDecoder(nn.Module):
    """p(x_1:T | z_f, z_1:T): two pictures, drawn once a clip, bent and mixed in every frame.

    z_f draws the pictures. z_t alone says from where each pixel is taken, and how much of each
    picture is seen there, so that a mouth has something to open on: whose face it is does not
    enter, and a motion is the same on every face. What moves is as sharp as what rests.
    """

    grid: Tensor

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        width, channels = architecture.decoder_width, architecture.channels
        self.pictures = growing(
            architecture.static, [4 * width, 2 * width, width, width, 2 * channels]
        )
        self.bends = growing(
            architecture.dynamic, [4 * width, 2 * width, width, 3], last=FIRST_BENDS
        )
        line = (torch.arange(FRAME) + 0.5) / FRAME * 2 - 1
        grid = torch.stack(torch.meshgrid(line, line, indexing="xy"), dim=-1)
        self.register_buffer("grid", grid, persistent=False)

    def forward(self, static: StaticCode, dynamic: DynamicCode) -> Video:
        """A clip per pair of codes."""
        time = dynamic.shape[1]
        pictures = self.pictures(static).sigmoid().repeat_interleave(time, dim=0)
        frames = self.bent(pictures, dynamic.flatten(0, 1))
        return frames.reshape(len(static), time, *frames.shape[1:])

    def bent(self, pictures: Float[Tensor, "frame pictures 64 64"], motion: Vectors) -> Frames:
        """The frames that z_t makes of the pictures of their clips, both side by side."""
        bends = interpolate(self.bends(motion), size=FRAME, mode="bilinear")
        places = self.grid + UNIT * bends[:, :2].permute(0, 2, 3, 1)
        first, second = grid_sample(
            pictures, places, padding_mode="border", align_corners=False
        ).chunk(2, dim=1)
        return second.lerp(first, bends[:, 2:].sigmoid())


def growing(codes: int, channels: list[int], last: float = 1.0) -> nn.Sequential:
    """A code to 4x4 places of the first channels, and from each to the next twice as many a side.

    The weights of the last layer are scaled by `last`.
    """
    layers: list[nn.Module] = [
        nn.Linear(codes, 16 * channels[0]),
        nn.Unflatten(-1, (channels[0], 4, 4)),
    ]
    for given, made in pairwise(channels):
        convolution = nn.Conv2d(given, 4 * made, 3, 1, 1)
        layers += [nn.LeakyReLU(SLOPE), convolution, nn.PixelShuffle(2)]
    network = nn.Sequential(*layers)
    keep_variance(network)
    with torch.no_grad():
        convolution.weight *= last
    return network
