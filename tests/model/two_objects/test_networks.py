"""Laws of the networks for two objects: separate codes, positions in z_t, additive decoding."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Generator, Tensor

from s3vae.model.architecture import PLACES, Architecture
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


def squares() -> tuple[Tensor, Tensor]:
    """A bright and a dim square that move apart, and the corners of windows around them."""
    video = torch.zeros(BATCH, TIME, 1, 64, 64)
    tracks = torch.zeros(BATCH, TIME, 2, 2, dtype=torch.long)
    for time in range(TIME):
        for k, (intensity, column) in enumerate(((1.0, 8 - time), (0.5, 40 + time))):
            video[:, time, :, 20:32, column : column + 12] = intensity
            tracks[:, time, k] = torch.tensor([10, column - 10])
    return video, tracks


def test_features_are_pixels_of_windows_and_positions_and_z_t_begins_with_the_positions(
    objects: Architecture,
) -> None:
    video, tracks = squares()
    features = ObjectEncoder()(video, tracks)
    positions, windows = features[..., -PLACES:], features[..., :-PLACES]
    assert torch.equal(positions * UNIT + MIDDLE, tracks.flatten(2).float())
    windows = windows.reshape(BATCH, TIME, 2, SIDE, SIDE)[..., 10:22, 10:22]
    assert (windows == torch.tensor([1.0, 0.5])[:, None, None]).all()
    assert torch.equal(ObjectDynamic(objects)(features).mean[..., :PLACES], positions)


def test_without_tracks_as_input_the_objects_are_tracked() -> None:
    video, tracks = squares()
    positions = ObjectEncoder()(video)[..., -PLACES:].reshape(BATCH, TIME, 2, 2) * UNIT
    moves = (positions - positions[:, :1]).round().long()
    exact = tracks - tracks[:, :1]
    assert torch.equal(moves, exact) or torch.equal(moves, exact.flip(2))


def test_each_object_has_a_code_of_its_own_windows_alone(objects: Architecture) -> None:
    encoder, static = ObjectEncoder(), ObjectStatic(objects).eval()
    video, tracks = squares()
    dimmed = video * torch.where(torch.arange(64) < 34, 1.0, 0.3)
    code, of_dimmed = (static(encoder(each, tracks)).mean for each in (video, dimmed))
    first, second = (code == of_dimmed).chunk(2, dim=-1)
    assert first.all()
    assert not second.any()
    swapped = static(encoder(video, tracks.flip(2))).mean
    torch.testing.assert_close(torch.cat(swapped.chunk(2, dim=-1)[::-1], dim=-1), code)


def test_the_static_code_is_invariant_to_the_order_of_frames(objects: Architecture) -> None:
    static = ObjectStatic(objects).eval()
    video = torch.rand(BATCH, TIME, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    features = ObjectEncoder()(video, squares()[1])
    torch.testing.assert_close(static(features).mean, static(features.flip(1)).mean)
    assert not torch.allclose(static(features).mean, static(features[:, :1]).mean, atol=1e-4)


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
