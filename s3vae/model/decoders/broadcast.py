"""A decoder for objects that move about: z_t gives the place, both codes the content."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from s3vae.model.architecture import Architecture
from s3vae.model.layers import SLOPE

HIGHEST_FREQUENCY = 6 * math.pi
"""Radians from the centre of a frame to its edge: a wavelength of a few pixels."""
PLACES, PIXELS = 16, 4
"""Places along each axis of a frame, and pixels along each axis of a place."""

Motions = Float[Tensor, "frame dynamic"]
Codes = Float[Tensor, "frame code"]
Inputs = Float[Tensor, "frame place inputs"]
Outputs = Float[Tensor, "frame place outputs"]


class FilmedLinear(nn.Module):
    """A linear layer whose input channels a code scales and shifts (FiLM; Perez et al., AAAI 2018).

    The code is applied to the layer's few weights instead of to the channels of all places.
    """

    def __init__(self, codes: int, inputs: int, outputs: int) -> None:
        super().__init__()
        self.film = nn.Linear(codes, 2 * inputs)
        self.weight = nn.Parameter(torch.empty(inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        gain = nn.init.calculate_gain("leaky_relu", SLOPE)
        nn.init.normal_(self.weight, std=gain / math.sqrt(inputs))

    def weights(
        self, codes: Codes
    ) -> tuple[Float[Tensor, "frame inputs outputs"], Float[Tensor, "frame 1 outputs"]]:
        """Return the weights and biases of each code."""
        scale, shift = self.film(codes).chunk(2, dim=-1)
        # bounded: a code drawn from the prior must not scale further than codes of clips do
        weights = (1 + scale.tanh())[..., None] * self.weight
        return weights, torch.addmm(self.bias, shift, self.weight)[:, None]

    def forward(self, hidden: Inputs, codes: Codes) -> Outputs:
        """Apply the layer at every place of every frame."""
        weights, bias = self.weights(codes)
        return torch.baddbmm(bias, hidden, weights)


class FilmedWaves(nn.Module):
    """Sums of plane waves sin(w·place + phase(z_t)), weighted by both codes.

    Adding to the phase shifts a wave, so the place of an object enters linearly and z_f does not
    change it. Since sin(a + b) = sin a cos b + cos a sin b, all frames share the same waves.
    """

    grid: Tensor

    def __init__(self, codes: int, dynamic: int, waves: int, outputs: int) -> None:
        super().__init__()
        line = torch.linspace(-1, 1, PLACES)
        self.register_buffer("grid", torch.cartesian_prod(line, line), persistent=False)
        self.frequencies = nn.Parameter(HIGHEST_FREQUENCY / 2 * torch.randn(2, waves))
        self.phase = nn.Linear(dynamic, waves)
        self.layer = FilmedLinear(codes, waves, outputs)

    def forward(self, dynamic: Motions, codes: Codes) -> Outputs:
        """Return one grid of sums per frame."""
        angle, phase = self.grid @ self.frequencies, self.phase(dynamic)[..., None]
        waves = torch.cat([angle.sin(), angle.cos()], dim=-1)
        weights, bias = self.layer.weights(codes)
        shifted = torch.cat([weights * phase.cos(), weights * phase.sin()], dim=1)
        # one product for all frames: a batch of products would repeat the waves
        sums = waves @ shifted.transpose(0, 1).flatten(1)
        # sizes from `shape`: `len` would fix the number of frames in an exported graph
        sums = sums.reshape(waves.shape[0], shifted.shape[0], -1)
        outputs: Tensor = sums.transpose(0, 1) + bias
        return outputs


class BroadcastDecoder(nn.Module):
    """The mean of p(x_t | z_f, z_t), by the same layers at each of 16x16 places."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        width, self.channels = architecture.decoder_width, architecture.channels
        codes = architecture.static + architecture.dynamic
        self.waves = FilmedWaves(codes, architecture.dynamic, 4 * width, 2 * width)
        self.hidden = FilmedLinear(codes, 2 * width, 2 * width)
        self.pixels = FilmedLinear(codes, 2 * width, self.channels * PIXELS**2)

    def forward(
        self, static: Float[Tensor, "frame static"], dynamic: Motions
    ) -> Float[Tensor, "frame channel height width"]:
        """Return one frame per pair of codes."""
        codes = torch.cat([static, dynamic], dim=-1)
        hidden = self.waves(dynamic, codes)
        for layer in (self.hidden, self.pixels):
            hidden = layer(leaky_relu(hidden, SLOPE), codes)
        pixels = hidden.reshape(-1, PLACES, PLACES, self.channels, PIXELS, PIXELS)
        frames = pixels.permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)
        decoded: Tensor = frames.sigmoid()
        return decoded
