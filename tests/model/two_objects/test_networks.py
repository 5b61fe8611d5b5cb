"""Laws of the networks for two objects: separate codes, positions in z_t, additive decoding."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Generator, Tensor

from s3vae.model.architecture import PLACES, Architecture
from s3vae.model.s3vae import S3VAE
from s3vae.model.two_objects.networks import (
    MIDDLE,
    UNIT,
    ObjectDynamic,
    ObjectEncoder,
    ObjectStatic,
    SpriteDecoder,
    interpolation_matrix,
)
from s3vae.model.two_objects.windows import SIDE

BATCH, TIME = 3, 4


@pytest.fixture
def objects(tiny: Architecture) -> Architecture:
    return replace(tiny, encoder="objects", decoder="sprites", channels=1, static=6, dynamic=7)


def squares(channels: int = 1) -> tuple[Tensor, Tensor]:
    """A bright and a dim square that move apart, and the corners of windows around them."""
    video = torch.zeros(BATCH, TIME, channels, 64, 64)
    tracks = torch.zeros(BATCH, TIME, 2, 2, dtype=torch.long)
    for time in range(TIME):
        for k, (intensity, column) in enumerate(((1.0, 8 - time), (0.5, 40 + time))):
            video[:, time, :, 20:32, column : column + 12] = intensity
            tracks[:, time, k] = torch.tensor([10, column - 10])
    return video, tracks


@pytest.mark.parametrize(
    ("encoder", "decoder", "channels"),
    [
        ("objects", "sprites", 1),
        ("objects", "sprites", 3),
        ("patch", "sprites", 1),
        ("objects", "broadcast", 1),
    ],
)
def test_clips_become_codes_and_codes_become_clips(
    encoder: Any, decoder: Any, channels: Any, objects: Architecture
) -> None:
    video = squares(channels)[0]
    model = S3VAE(replace(objects, encoder=encoder, decoder=decoder, channels=channels))
    static, dynamic = model.encode(video)
    assert static.mean.shape == static.std.shape == (BATCH, objects.static)
    assert dynamic.mean.shape == dynamic.std.shape == (BATCH, TIME, objects.dynamic)
    assert model.decode(static.mean, dynamic.mean).shape == video.shape


def test_features_are_the_pixels_of_the_windows_and_the_positions_of_the_tracks() -> None:
    video, tracks = squares()
    features = ObjectEncoder()(video, tracks)
    assert torch.equal(features[..., -PLACES:] * UNIT + MIDDLE, tracks.flatten(2).float())
    windows = features[..., :-PLACES].reshape(BATCH, TIME, 2, SIDE, SIDE)
    assert (windows[:, :, 0, 10:22, 10:22] == 1).all()
    assert (windows[:, :, 1, 10:22, 10:22] == 0.5).all()


def test_without_tracks_as_input_the_objects_are_tracked() -> None:
    video, tracks = squares()
    positions = ObjectEncoder()(video)[..., -PLACES:].reshape(BATCH, TIME, 2, 2) * UNIT
    moves = (positions - positions[:, :1]).round().long()
    exact = tracks - tracks[:, :1]
    assert torch.equal(moves, exact) or torch.equal(moves, exact.flip(2))


def test_an_object_is_encoded_from_its_own_windows_alone(objects: Architecture) -> None:
    encoder, static = ObjectEncoder(), ObjectStatic(objects).eval()
    video, tracks = squares()
    dimmed = video * torch.where(torch.arange(64) < 34, 1.0, 0.3)
    before, after = (static(encoder(each, tracks)).mean for each in (video, dimmed))
    first, second = (before == after).chunk(2, dim=-1)
    assert first.all()
    assert not second.any()


def test_swapping_the_objects_swaps_their_codes(objects: Architecture) -> None:
    encoder, static = ObjectEncoder(), ObjectStatic(objects).eval()
    video, tracks = squares()
    one, other = (static(encoder(video, order)).mean for order in (tracks, tracks.flip(2)))
    torch.testing.assert_close(one, torch.cat(other.chunk(2, dim=-1)[::-1], dim=-1))


def test_the_static_code_is_invariant_to_the_order_of_frames(objects: Architecture) -> None:
    static = ObjectStatic(objects).eval()
    video = torch.rand(BATCH, TIME, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    features = ObjectEncoder()(video, squares()[1])
    torch.testing.assert_close(static(features).mean, static(features.flip(1)).mean)
    assert not torch.allclose(static(features).mean, static(features[:, :1]).mean, atol=1e-4)


def test_the_dynamic_code_begins_with_the_positions(objects: Architecture) -> None:
    features = ObjectEncoder()(*squares())
    dynamic = ObjectDynamic(objects)(features)
    assert torch.equal(dynamic.mean[..., :PLACES], features[..., -PLACES:])
    assert dynamic.mean.shape == (BATCH, TIME, objects.dynamic)


def test_a_shift_by_a_pixel_in_z_t_shifts_the_frame_by_a_pixel(
    objects: Architecture, draws: Callable[[int], Generator]
) -> None:
    decoder = SpriteDecoder(objects)
    static = torch.randn(1, objects.static, generator=draws(0)).expand(2, -1)
    dynamic = torch.zeros(2, 1, objects.dynamic)
    dynamic[1, :, :PLACES:2] = 1 / UNIT
    here, there = decoder(static, dynamic)[:, 0]
    torch.testing.assert_close(here[:, :-1], there[:, 1:], atol=1e-5, rtol=0)


def test_a_shift_by_half_a_pixel_divides_intensity_between_neighbours() -> None:
    matrix = interpolation_matrix(torch.tensor([3.5]))[0]
    assert matrix.shape == (64, SIDE)
    assert matrix[:, 0].nonzero()[:, 0].tolist() == [3, 4]
    assert (matrix.sum(dim=0) == 1).all()


def test_intensities_are_clamped_at_white_but_gradients_are_not(objects: Architecture) -> None:
    decoder = SpriteDecoder(objects)
    with torch.no_grad():
        decoder.sprite[-3].bias.fill_(3.0)  # type: ignore[operator, union-attr]
    static = torch.zeros(1, objects.static, requires_grad=True)
    frame = decoder(static, torch.zeros(1, 1, objects.dynamic))
    assert frame.max() == 1
    frame.sum().backward()
    assert static.grad.any()
