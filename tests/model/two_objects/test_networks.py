"""Two objects: each has a code of its own, places are in z_t, and light adds up."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Generator, Tensor

from s3vae.model.architecture import PLACES, Architecture, architecture
from s3vae.model.s3vae import S3VAE
from s3vae.model.two_objects.networks import (
    MIDDLE,
    UNIT,
    ObjectDynamic,
    ObjectEncoder,
    ObjectStatic,
    SpriteDecoder,
    between_pixels,
)
from s3vae.model.two_objects.windows import SIDE

BATCH, TIME = 3, 4


@pytest.fixture
def objects(tiny: Architecture) -> Architecture:
    return replace(tiny, encoder="objects", decoder="sprites", channels=1, static=6, dynamic=7)


def squares(channels: int = 1) -> tuple[Tensor, Tensor]:
    """A bright and a dim square that fly apart, and the corners of windows around them."""
    video = torch.zeros(BATCH, TIME, channels, 64, 64)
    tracks = torch.zeros(BATCH, TIME, 2, 2, dtype=torch.long)
    for time in range(TIME):
        for k, (light, column) in enumerate(((1.0, 8 - time), (0.5, 40 + time))):
            video[:, time, :, 20:32, column : column + 12] = light
            tracks[:, time, k] = torch.tensor([10, column - 10])
    return video, tracks


@pytest.mark.parametrize("channels", [1, 3])
def test_clips_become_codes_and_codes_become_clips(channels: int, objects: Architecture) -> None:
    model = S3VAE(replace(objects, channels=channels))  # type: ignore[arg-type]
    video = squares(channels)[0]
    static, dynamic = model.encode(video)
    assert static.mean.shape == static.std.shape == (BATCH, objects.static)
    assert dynamic.mean.shape == dynamic.std.shape == (BATCH, TIME, objects.dynamic)
    assert model.decode(static.mean, dynamic.mean).shape == video.shape


@pytest.mark.parametrize(("encoder", "decoder"), [("patch", "sprites"), ("objects", "broadcast")])
def test_either_side_may_be_another_one(encoder: Any, decoder: Any, objects: Architecture) -> None:
    model, video = S3VAE(replace(objects, encoder=encoder, decoder=decoder)), squares()[0]
    static, dynamic = model.encode(video)
    assert model.decode(static.mean, dynamic.mean).shape == video.shape


def test_places_are_those_of_the_tracks_and_windows_what_is_there() -> None:
    video, tracks = squares()
    features = ObjectEncoder()(video, tracks)
    assert torch.equal(features[..., -PLACES:] * UNIT + MIDDLE, tracks.flatten(2).float())
    windows = features[..., :-PLACES].reshape(BATCH, TIME, 2, SIDE, SIDE)
    assert (windows[:, :, 0, 10:22, 10:22] == 1).all()
    assert (windows[:, :, 1, 10:22, 10:22] == 0.5).all()


def test_without_tracks_the_objects_are_found() -> None:
    video, tracks = squares()
    found = ObjectEncoder()(video)[..., -PLACES:].reshape(BATCH, TIME, 2, 2) * UNIT
    moved = (found - found[:, :1]).round().long()
    told = tracks - tracks[:, :1]
    assert torch.equal(moved, told) or torch.equal(moved, told.flip(2))


def test_an_object_is_encoded_from_its_own_windows_alone(objects: Architecture) -> None:
    encoder, static = ObjectEncoder(), ObjectStatic(objects).eval()
    video, tracks = squares()
    dimmed = video * torch.where(torch.arange(64) < 34, 1.0, 0.3)
    before, after = (static(encoder(each, tracks)).mean for each in (video, dimmed))
    first, second = (before == after).chunk(2, dim=-1)
    assert first.all()
    assert not second.any()


def test_objects_in_the_other_order_have_the_same_codes_in_the_other_order(
    objects: Architecture,
) -> None:
    encoder, static = ObjectEncoder(), ObjectStatic(objects).eval()
    video, tracks = squares()
    one, other = (static(encoder(video, order)).mean for order in (tracks, tracks.flip(2)))
    torch.testing.assert_close(one, torch.cat(other.chunk(2, dim=-1)[::-1], dim=-1))


def test_the_static_code_is_blind_to_the_order_of_frames(objects: Architecture) -> None:
    static = ObjectStatic(objects).eval()
    video = torch.rand(BATCH, TIME, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    features = ObjectEncoder()(video, squares()[1])
    torch.testing.assert_close(static(features).mean, static(features.flip(1)).mean)
    assert not torch.allclose(static(features).mean, static(features[:, :1]).mean, atol=1e-4)


def test_the_motion_begins_with_the_places(objects: Architecture) -> None:
    features = ObjectEncoder()(*squares())
    dynamic = ObjectDynamic(objects)(features)
    assert torch.equal(dynamic.mean[..., :PLACES], features[..., -PLACES:])
    assert dynamic.mean.shape == (BATCH, TIME, objects.dynamic)


def test_a_whole_pixel_further_in_z_t_is_a_pixel_further_in_the_frame(
    objects: Architecture, draws: Callable[[int], Generator]
) -> None:
    decoder = SpriteDecoder(objects)
    static = torch.randn(1, objects.static, generator=draws(0)).expand(2, -1)
    dynamic = torch.zeros(2, 1, objects.dynamic)
    dynamic[1, :, :PLACES:2] = 1 / UNIT
    here, there = decoder(static, dynamic)[:, 0]
    torch.testing.assert_close(here[:, :-1], there[:, 1:], atol=1e-5, rtol=0)


def test_half_a_pixel_shares_the_light_between_neighbours() -> None:
    laid = between_pixels(torch.tensor([3.5]))[0]
    assert laid.shape == (64, SIDE)
    assert laid[:, 0].nonzero()[:, 0].tolist() == [3, 4]
    assert (laid.sum(dim=0) == 1).all()


def test_light_adds_up_to_white_and_what_is_cut_off_is_still_felt(objects: Architecture) -> None:
    decoder = SpriteDecoder(objects)
    with torch.no_grad():
        decoder.sprite[-3].bias.fill_(3.0)  # type: ignore[operator, union-attr]
    static = torch.zeros(1, objects.static, requires_grad=True)
    frame = decoder(static, torch.zeros(1, 1, objects.dynamic))
    assert frame.max() == 1
    frame.sum().backward()
    assert static.grad is not None
    assert static.grad.any()


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"static": 7}, "must be even"),
        ({"dynamic": 3}, "at least 4"),
        ({"static_posterior": "bilstm"}, "static_posterior: pooled"),
        ({"static_posterior": "averaged"}, "static_posterior: pooled"),
    ],
)
def test_what_does_not_fit_two_objects_is_refused(changes: dict[str, object], rule: str) -> None:
    asked: dict[str, object] = {"encoder": "objects", "decoder": "sprites", "static": 8} | changes
    with pytest.raises(ValueError, match=rule):
        architecture("fast", **asked)
