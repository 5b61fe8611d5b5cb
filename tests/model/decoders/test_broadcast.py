"""The broadcast decoder: translation by phases, and modulation by FiLM."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Generator, nn

from s3vae.model.architecture import Architecture
from s3vae.model.decoders.broadcast import PLACES, BroadcastDecoder, FilmedLinear, FilmedWaves


@pytest.fixture
def waves() -> FilmedWaves:
    torch.manual_seed(0)
    return FilmedWaves(codes=3, dynamic=2, waves=5, outputs=4).eval()


def test_the_output_is_a_sum_of_waves_with_shifted_phases(waves: FilmedWaves) -> None:
    """The addition theorem gives the same as the definition."""
    dynamic, codes = torch.randn(6, 2), torch.randn(6, 3)
    angle = (waves.grid @ waves.frequencies)[None] + waves.phase(dynamic)[:, None]
    weights, bias = waves.layer.weights(codes)
    torch.testing.assert_close(waves(dynamic, codes), angle.sin() @ weights + bias)


@pytest.mark.parametrize("seed", range(3))
def test_a_step_of_all_phases_translates_any_image_by_one_place(
    seed: int, waves: FilmedWaves, draws: Callable[[int], Generator]
) -> None:
    with torch.no_grad():
        step = waves.grid[PLACES] - waves.grid[0]
        waves.phase.weight[:, 0] = step @ waves.frequencies
        codes = torch.randn(1, 3, generator=draws(seed)).expand(2, -1)
        drawn = waves(torch.tensor([[0.0, 0.0], [1.0, 0.0]]), codes)
    still, moved = drawn.unflatten(1, (PLACES, PLACES))
    torch.testing.assert_close(moved[:-1], still[1:], atol=1e-4, rtol=1e-4)


def test_the_codes_shift_channels_and_scale_them_by_factors_between_0_and_2() -> None:
    layer, hidden = FilmedLinear(codes=3, inputs=5, outputs=4), torch.randn(2, 7, 5)
    codes = torch.randn(2, 3)
    scale, shift = layer.film(codes)[:, None].chunk(2, dim=-1)
    expected = (hidden * (1 + scale.tanh()) + shift) @ layer.weight + layer.bias
    torch.testing.assert_close(layer(hidden, codes), expected)


def test_each_place_is_decoded_to_its_own_pixels(tiny: Architecture) -> None:
    decoder = BroadcastDecoder(replace(tiny, decoder="broadcast", channels=1)).eval()
    with torch.no_grad():
        for layer in (decoder.hidden, decoder.pixels):
            nn.init.zeros_(layer.film.weight), nn.init.zeros_(layer.film.bias)
        inside = torch.arange(16.0)
        decoder.pixels.weight.zero_()
        decoder.pixels.bias.copy_(inside)
        frame = decoder(torch.randn(1, tiny.static), torch.randn(1, tiny.dynamic))[0, 0]
    expected = inside.sigmoid().reshape(4, 4).repeat(PLACES, PLACES)
    torch.testing.assert_close(frame, expected)


def test_a_layer_keeps_the_variance_of_its_inputs() -> None:
    torch.manual_seed(0)
    layer = FilmedLinear(codes=3, inputs=64, outputs=64)
    hidden = nn.functional.leaky_relu(torch.randn(4, 256, 64), 0.2)
    nn.init.zeros_(layer.film.weight), nn.init.zeros_(layer.film.bias)
    assert 0.8 < layer(hidden, torch.randn(4, 3)).std() < 1.25
