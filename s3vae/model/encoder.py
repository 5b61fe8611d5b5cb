"""Encoders of a frame to one feature vector, without regard to time."""

import math
from itertools import pairwise

from torch import nn

from s3vae.model.architecture import Architecture
from s3vae.model.layers import SLOPE, activation, initialize


def frame_encoder(architecture: Architecture) -> nn.Module:
    """Return the encoder of frames to features in [-1, 1].

    Strided convolutions down to the coarse map (4x4 at 64x64), then one linear layer over all of
    it, batch normalization and tanh.
    """
    convolutions, hidden = _convolutions(architecture), nn.Sequential()
    for each in convolutions:
        hidden.append(each)
        hidden.append(activation(each.out_channels, normalized=architecture.normalized))
    if not architecture.normalized:
        initialize(hidden)
    places = math.prod(architecture.coarse)
    return nn.Sequential(
        hidden,
        nn.Flatten(),
        nn.Linear(places * convolutions[-1].out_channels, architecture.features, bias=False),
        nn.BatchNorm1d(architecture.features),
        nn.Tanh(),
    )


def window_encoder(architecture: Architecture) -> nn.Module:
    """Return the encoder of frames to features in [-1, 1] by a network of small windows.

    The features of all windows are averaged, so their places do not matter (Brendel and Bethge,
    ICLR 2019). At 64x64 a window has 12x12 pixels, and they are 4 apart.
    """
    width, patch = 2 * architecture.encoder_width, 4 * 2**architecture.doublings
    windows = nn.Sequential(
        nn.Conv2d(architecture.channels, width, patch, patch),
        nn.LeakyReLU(SLOPE),
        nn.Conv2d(width, width, 3, 1, 1),
        nn.LeakyReLU(SLOPE),
        nn.Conv2d(width, 2 * width, 1),
        nn.LeakyReLU(SLOPE),
        nn.Conv2d(2 * width, 2 * width, 1),
        nn.LeakyReLU(SLOPE),
    )
    initialize(windows)
    return nn.Sequential(
        windows,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(2 * width, architecture.features, bias=False),
        nn.BatchNorm1d(architecture.features),
        nn.Tanh(),
    )


def _convolutions(architecture: Architecture) -> list[nn.Conv2d]:
    """Return the convolutions down to the coarse map: the paper's, which overlap, or `patch`."""
    width, bias = architecture.encoder_width, not architecture.normalized
    more = [width] * architecture.doublings
    first, *others = pairwise([architecture.channels, width, *more, 2 * width, 4 * width])
    if architecture.encoder == "strided":
        layers = (first, *others, (4 * width, 8 * width))
        return [nn.Conv2d(*sizes, 4, 2, 1, bias=bias) for sizes in layers]
    patches = nn.Conv2d(*first, 4, 4, bias=bias)
    return [patches, *(nn.Conv2d(*sizes, 2, 2, bias=bias) for sizes in others)]
