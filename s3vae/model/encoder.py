"""The frame encoder: a frame to one feature vector, without regard to time."""

import math
from itertools import pairwise

from torch import nn

from s3vae.model.architecture import Architecture
from s3vae.model.layers import activation, initialize


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
