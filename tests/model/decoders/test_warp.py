"""The decoder of what bends: pictures of z_f, and where z_t takes pixels from."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from s3vae.model.architecture import Architecture
from s3vae.model.decoders import decode_clips
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


def tell(decoder: WarpDecoder, right: float, down: float, first: float) -> None:
    """Let it bend all frames alike, by so many pixels, and see so much of the first picture."""
    *_, last, _ = decoder.bends
    with torch.no_grad():
        last.weight.zero_()
        pixels = torch.tensor([right, down]) / 32 / UNIT
        share = torch.logit(torch.tensor([first]))
        last.bias.copy_(torch.cat([pixels, share]).repeat_interleave(4))


@pytest.mark.parametrize("channels", [1, 3])
def test_it_leads_from_codes_to_clips(
    channels: int, tiny: Architecture, codes: tuple[Tensor, Tensor]
) -> None:
    decoder = WarpDecoder(replace(tiny, decoder="warped", channels=channels))
    clips = decode_clips(decoder, *codes)
    assert clips.shape == (*SHAPE, channels, 64, 64)
    assert clips.min() >= 0
    assert clips.max() <= 1


def test_at_first_hardly_anything_is_bent(decoder: WarpDecoder, tiny: Architecture) -> None:
    bends = decoder.bends(torch.randn(9, tiny.dynamic))
    assert (UNIT * 32 * bends[:, :2]).abs().max() < 2  # pixels


@pytest.mark.parametrize(("first", "which"), [(0.9999999, 0), (1e-7, 1)])
def test_unbent_the_frames_are_the_pictures_of_the_static_code(
    first: float, which: int, decoder: WarpDecoder, codes: tuple[Tensor, Tensor]
) -> None:
    tell(decoder, 0, 0, first)
    static, dynamic = codes
    picture = decoder.pictures(static).sigmoid().chunk(2, dim=1)[which]
    expected = picture[:, None].expand(-1, SHAPE[1], -1, -1, -1)
    torch.testing.assert_close(decoder(static, dynamic), expected, atol=1e-5, rtol=1e-4)


def test_pixels_are_taken_from_where_the_bends_say(
    decoder: WarpDecoder, codes: tuple[Tensor, Tensor]
) -> None:
    static, dynamic = codes
    tell(decoder, 0, 0, 0.3)
    still = decoder(static, dynamic)
    tell(decoder, 3, -2, 0.3)
    moved = decoder(static, dynamic)
    torch.testing.assert_close(moved[..., 2:, :-3], still[..., :-2, 3:], atol=1e-4, rtol=1e-3)


def test_a_frame_is_of_the_codes_of_its_clip_and_moment_alone(
    decoder: WarpDecoder, codes: tuple[Tensor, Tensor]
) -> None:
    static, dynamic = (code.requires_grad_() for code in codes)
    decoder(static, dynamic)[0, 3].square().sum().backward()
    assert static.grad is not None
    assert dynamic.grad is not None
    assert static.grad[0].any()
    assert not static.grad[1].any()
    moving = dynamic.grad.abs().sum(dim=-1) > 0
    assert moving.nonzero().tolist() == [[0, 3]]
