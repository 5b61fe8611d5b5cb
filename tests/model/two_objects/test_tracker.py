"""Laws of the tracker: any two objects are tracked exactly, without labels."""

import numpy as np
import pytest
import torch
from torch import Tensor

from s3vae.data.smmnist.mnist import Digits, embedded_digits
from s3vae.data.smmnist.smmnist import _corners, _frames, _layers
from s3vae.model.two_objects.templates import EXPLAINED, match_template, refit, residual
from s3vae.model.two_objects.tracker import track, two_means
from s3vae.model.two_objects.windows import MARGIN, REACH, SIDE, paste, with_margin

SIZE = 64 + 2 * MARGIN
STEP = torch.arange(9)


def shapes() -> Tensor:
    """A ring and a cross, each within a window."""
    line = torch.arange(SIDE) - (SIDE - 1) / 2
    radius = (line[:, None] ** 2 + line**2).sqrt()
    ring = ((radius > 6) & (radius < 9)).float()
    bars = line.abs() < 2
    cross = ((bars[:, None] | bars) & (radius < 9)).float() * 0.8
    return torch.stack([ring, cross])


def draw(paths: Tensor) -> Tensor:
    """Both shapes along their paths (clip, time, object, row and column)."""
    clips, time = paths.shape[:2]
    frames = torch.zeros(clips, time, 64, 64)
    for clip, at in np.ndindex(clips, time):
        for shape, (row, column) in zip(shapes(), paths[clip, at].tolist(), strict=True):
            frames[clip, at, row : row + SIDE, column : column + SIDE] += shape
    return frames.clamp(max=1)


def pair(one: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor]) -> Tensor:
    """A clip of two paths, each by its rows and its columns."""
    return torch.stack([torch.stack(path, dim=-1) for path in (one, other)], dim=1)[None]


def crossing() -> Tensor:
    """One moves along the diagonal, the other against it: they meet in the middle."""
    return pair((STEP * 4, STEP * 4), (STEP.flip(0) * 4, STEP.flip(0) * 4))


def same_up_to_order(tracks: Tensor, paths: Tensor) -> Tensor:
    """Per clip, True if both paths are exact, up to their order and the offset of the windows."""
    moves = tracks - tracks[:, :1]
    right = [
        (moves == (paths - paths[:, :1])[:, :, order]).flatten(1).all(dim=1)
        for order in ([0, 1], [1, 0])
    ]
    return right[0] | right[1]


@pytest.mark.parametrize(
    "paths",
    [
        crossing(),
        crossing() // 2 + 8,
        pair((10 + STEP, 10 + 2 * STEP), (14 + STEP, 18 + STEP)),
        pair((13 + 2 * STEP, 14 - 2 * STEP), (7 + 3 * STEP, 18 - 3 * STEP)).clamp(0, 31),
    ],
    ids=[
        "that cross",
        "that cross slowly",
        "that overlap in all frames",
        "that no frame separates",
    ],
)
def test_objects_are_tracked_exactly(paths: Tensor) -> None:
    assert same_up_to_order(track(draw(paths)).tracks, paths).all()


def test_a_clip_has_the_same_tracks_alone_and_in_a_batch() -> None:
    paths = torch.cat([crossing(), crossing().flip(1), crossing().transpose(-1, -2)])
    paths[1, :, :, 1] = 3
    together = track(draw(paths)).tracks
    alone = torch.cat([track(draw(path[None])).tracks for path in paths])
    assert torch.equal(together, alone)


@pytest.mark.parametrize("shift", [[-4, 4], [0, 0], [3, -1]])
def test_a_template_is_matched_at_every_shift_within_reach(shift: list[int]) -> None:
    template, corner = shapes()[:1], torch.tensor([[30, 40]])
    there = corner + torch.tensor([shift])
    assert torch.equal(match_template(paste(template, there, SIZE), template, corner), there)


def test_an_invisible_object_stays_where_it_was() -> None:
    template, corner = shapes()[:1], torch.tensor([[30, 40]])
    assert torch.equal(match_template(torch.zeros(1, SIZE, SIZE), template, corner), corner)
    tracks, left = track(torch.zeros(2, 5, 64, 64))
    assert (tracks == tracks[:, :1]).all()
    assert not left.any()


def test_the_first_object_is_the_lower_one_of_the_frame_where_they_are_apart() -> None:
    still = torch.full((9,), 4), torch.full((9,), 4)
    falling = 8 + 3 * STEP, torch.full((9,), 10)
    for paths in (pair(still, falling), pair(falling, still)):
        tracks = track(draw(paths)).tracks[0]
        assert tracks[-1, 0, 0] > tracks[-1, 1, 0]


def test_right_tracks_leave_no_residual_and_a_wrong_one_does() -> None:
    paths = crossing()
    canvas = with_margin(draw(paths))
    assert residual(canvas, paths + MARGIN).item() == pytest.approx(0, abs=1e-9)
    wrong = paths + MARGIN
    wrong[0, 4, 0, 0] += 2
    assert residual(canvas, wrong).item() > EXPLAINED
    assert track(draw(paths)).residual.item() < EXPLAINED


def test_an_object_lost_in_one_frame_is_found_by_extrapolation() -> None:
    """It is further away than the search around its last corner reaches."""
    paths, canvas = crossing() + MARGIN, with_margin(draw(crossing()))
    lost = paths.clone()
    lost[0, 6, 0] += 3 * REACH
    assert same_up_to_order(refit(canvas, lost, quantile=0.2), paths).all()


def test_two_means_separate_intensities_at_the_gap() -> None:
    frames = torch.zeros(1, 2, 64, 64)
    for at, gap in enumerate((10, 30)):
        frames[0, at, 20:30, 4:14] = frames[0, at, 20:30, 14 + gap : 24 + gap] = 1
    centres, separation = two_means(frames)
    assert centres[0, 1, :, 1].sort().values.tolist() == pytest.approx([8.5, 48.5], abs=0.1)
    assert separation[0, 1] > separation[0, 0]


def test_digits_are_tracked_in_nearly_all_clips() -> None:
    """In 97 % of clips both digits are within two pixels in nine of ten frames."""
    digits, clips = embedded_digits()[0].images, 40
    generator = np.random.default_rng(0)
    paths = _corners(generator, clips, 15)
    pairs = generator.integers(len(digits), size=(clips, 2))
    images = Digits(digits, np.zeros(len(digits), np.int64))
    frames = np.stack([_frames(*each)[..., 0] for each in _layers(images, pairs, paths)])
    tracks = track(torch.from_numpy(frames).float() / 255).tracks
    exact = torch.from_numpy(paths).transpose(1, 2).flip(-1)
    errors = torch.stack(
        [
            (off - off.median(dim=1, keepdim=True).values).abs().amax(dim=-1)
            for off in (tracks - exact, tracks - exact.flip(2))
        ]
    )
    right = ((errors <= 2).float().mean(dim=2) > 0.9).all(dim=-1).any(dim=0)
    assert right.float().mean() > 0.97
