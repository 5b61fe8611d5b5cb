"""What surrounds the convolutions of every network: activation, normalization, initial weights."""

import math

from jaxtyping import Float
from torch import Tensor, nn

SLOPE = 0.2
"""Of the leaky rectifier."""

Frames = Float[Tensor, "frame channel height width"]
Vectors = Float[Tensor, "frame feature"]


def activation(channels: int, *, normalized: bool) -> nn.Sequential:
    """Return a leaky rectifier, after batch normalization if `normalized`."""
    norm = [nn.BatchNorm2d(channels)] if normalized else []
    # in place only on the output of the normalization: backward needs the decoder's first input
    return nn.Sequential(*norm, nn.LeakyReLU(SLOPE, inplace=normalized))


def initialize(convolutions: nn.Module) -> None:
    """Draw weights that keep the variance from layer to layer (He et al., ICCV 2015)."""
    gain = nn.init.calculate_gain("leaky_relu", SLOPE)
    for layer in convolutions.modules():
        if not isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            continue
        inputs = layer.in_channels * math.prod(layer.kernel_size)
        if isinstance(layer, nn.ConvTranspose2d):  # an output pixel depends on a part of these
            inputs //= math.prod(layer.stride)
        nn.init.normal_(layer.weight, std=gain / math.sqrt(inputs))
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
