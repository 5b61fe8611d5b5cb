"""The warped decoder: canonical images of z_f, sampled at displacements from z_t."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from s3vae.model.architecture import Architecture
from s3vae.model.decoders.warp import UNIT, WarpDecoder

SHAPE = 2, 5
"""Clips, and frames of each."""


@pytest.fixture
def decoder(tiny: Architecture) -> WarpDecoder:
    torch.manual_seed(0)
    return WarpDecoder(replace(tiny, decoder="warped", channels=3))


@pytest.fixture
def codes(tiny: Architecture) -> tuple[Tensor, Tensor]:
    torch.manual_seed(1)
    return torch.randn(2, tiny.static), torch.randn(*SHAPE, tiny.dynamic)


def set_displacement(decoder: WarpDecoder, right: float, down: float, first: float) -> None:
    """Displace all frames alike, in pixels, and blend with this weight of the first image."""
    *_, last, _ = decoder.bends
    height, width = decoder.size
    with torch.no_grad():
        last.weight.zero_()
        pixels = 2 / UNIT * torch.tensor([right / width, down / height])
        weight = torch.logit(torch.tensor([first]))
        last.bias.copy_(torch.cat([pixels, weight]).repeat_interleave(4))


def test_a_new_decoder_displaces_by_less_than_two_pixels(
    decoder: WarpDecoder, tiny: Architecture
) -> None:
    displacement = decoder.bends(torch.randn(9, tiny.dynamic))
    assert (UNIT * 32 * displacement[:, :2]).abs().max() < 2


@pytest.mark.parametrize(("first", "which"), [(0.9999999, 0), (1e-7, 1)])
def test_without_displacement_the_frames_are_the_images_of_the_static_code(
    first: float, which: int, decoder: WarpDecoder, codes: tuple[Tensor, Tensor]
) -> None:
    set_displacement(decoder, 0, 0, first)
    static, dynamic = codes
    image = decoder.pictures(static).sigmoid().chunk(2, dim=1)[which]
    expected = image[:, None].expand(-1, SHAPE[1], -1, -1, -1)
    torch.testing.assert_close(decoder(static, dynamic), expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("size", [(64, 64), (96, 48), (128, 128)])
def test_pixels_are_sampled_at_the_displacement(
    size: tuple[int, int], tiny: Architecture, codes: tuple[Tensor, Tensor]
) -> None:
    torch.manual_seed(0)
    decoder = WarpDecoder(replace(tiny, decoder="warped", height=size[0], width=size[1]))
    static, dynamic = codes
    set_displacement(decoder, 0, 0, 0.3)
    still = decoder(static, dynamic)
    set_displacement(decoder, 3, -2, 0.3)
    moved = decoder(static, dynamic)
    torch.testing.assert_close(moved[..., 2:, :-3], still[..., :-2, 3:], atol=1e-4, rtol=1e-3)
