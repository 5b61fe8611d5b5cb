"""The frame encoder: a frame of 64x64 pixels to one feature vector, without regard to time."""

from itertools import pairwise

import torch
from torch import nn

from s3vae.model.architecture import Architecture
from s3vae.model.layers import Frames, Vectors, activation, initialize

STRIDES = (4, 2, 2)
"""Of the `patch` encoder, whose kernels do not overlap."""


def encoder_channels(architecture: Architecture) -> list[int]:
    """Return the channels of a frame and of every convolution's output, down to 4x4 pixels."""
    width = architecture.encoder_width
    sizes = [architecture.channels, width, 2 * width, 4 * width]
    return [*sizes, 8 * width] if architecture.encoder == "strided" else sizes


def frame_encoder(architecture: Architecture) -> nn.Module:
    """Return the encoder of frames to features in [-1, 1].

    Strided convolutions down to 4x4, then one linear layer over all of them, batch normalization
    and tanh. With `static_posterior: averaged` the means over the 4x4 map follow the features.
    """
    normalized, sizes = architecture.normalized, encoder_channels(architecture)
    layers: list[nn.Module] = []
    for convolution in _convolutions(architecture):
        layers += [convolution, activation(convolution.out_channels, normalized=normalized)]
    hidden = nn.Sequential(*layers)
    if not normalized:
        initialize(hidden)
    whole = (
        nn.Flatten(),
        nn.Linear(16 * sizes[-1], architecture.features, bias=False),
        nn.BatchNorm1d(architecture.features),
        nn.Tanh(),
    )
    if architecture.static_posterior == "averaged":
        return WithAverages(hidden, nn.Sequential(*whole))
    return nn.Sequential(hidden, *whole)


def _convolutions(architecture: Architecture) -> list[nn.Conv2d]:
    """Return the strided convolutions: 4x4 ones that overlap (the paper's), or `patch`."""
    sizes, bias = encoder_channels(architecture), not architecture.normalized
    if architecture.encoder == "strided":
        return [nn.Conv2d(i, o, 4, 2, 1, bias=bias) for i, o in pairwise(sizes)]
    return [
        nn.Conv2d(i, o, stride, stride, bias=bias)
        for (i, o), stride in zip(pairwise(sizes), STRIDES, strict=True)
    ]


class WithAverages(nn.Module):
    """The features of a frame, followed by the spatial means of the map they are computed from."""

    def __init__(self, hidden: nn.Module, whole: nn.Module) -> None:
        super().__init__()
        self.hidden, self.whole = hidden, whole

    def forward(self, frames: Frames) -> Vectors:
        """Return both side by side, features first."""
        maps = self.hidden(frames)
        return torch.cat([self.whole(maps), maps.mean(dim=(2, 3))], dim=1)
