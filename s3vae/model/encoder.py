"""The frame encoder: a frame of 64x64 pixels to one feature vector, without regard to time."""

from itertools import pairwise

from torch import nn

from s3vae.model.architecture import Architecture
from s3vae.model.layers import activation, initialize

STRIDES = (4, 2, 2)
"""Of the `patch` encoder, whose kernels do not overlap."""


def frame_encoder(architecture: Architecture) -> nn.Module:
    """Return the encoder of frames to features in [-1, 1].

    Strided convolutions down to 4x4, then one linear layer over all of them, batch normalization
    and tanh.
    """
    convolutions, hidden = _convolutions(architecture), nn.Sequential()
    for each in convolutions:
        hidden.append(each)
        hidden.append(activation(each.out_channels, normalized=architecture.normalized))
    if not architecture.normalized:
        initialize(hidden)
    return nn.Sequential(
        hidden,
        nn.Flatten(),
        nn.Linear(16 * convolutions[-1].out_channels, architecture.features, bias=False),
        nn.BatchNorm1d(architecture.features),
        nn.Tanh(),
    )


def _convolutions(architecture: Architecture) -> list[nn.Conv2d]:
    """Return the convolutions down to 4x4 pixels: the paper's, which overlap, or `patch`."""
    width, bias = architecture.encoder_width, not architecture.normalized
    sizes = [architecture.channels, width, 2 * width, 4 * width]
    if architecture.encoder == "strided":
        return [nn.Conv2d(i, o, 4, 2, 1, bias=bias) for i, o in pairwise([*sizes, 8 * width])]
    return [
        nn.Conv2d(i, o, stride, stride, bias=bias)
        for (i, o), stride in zip(pairwise(sizes), STRIDES, strict=True)
    ]
