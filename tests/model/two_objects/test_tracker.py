"""Two objects are found and followed, whatever they look like, without being told anything."""

import numpy as np
import pytest
import torch
from torch import Tensor

from s3vae.data.smmnist.mnist import Digits, embedded_digits
from s3vae.data.smmnist.smmnist import _corners, _frames, _layers
from s3vae.model.two_objects.templates import GOOD, looked_for, refitted, unexplained
from s3vae.model.two_objects.tracker import follow_two, two_means
from s3vae.model.two_objects.windows import MARGIN, REACH, SIDE, placed, with_margin

SIZE = 64 + 2 * MARGIN


def shapes() -> Tensor:
    """A ring and a cross, each within a window."""
    line = torch.arange(SIDE) - (SIDE - 1) / 2
    far = (line[:, None] ** 2 + line**2).sqrt()
    ring = ((far > 6) & (far < 9)).float()
    bars = line.abs() < 2
    cross = ((bars[:, None] | bars) & (far < 9)).float() * 0.8
    return torch.stack([ring, cross])


def flown(paths: Tensor) -> Tensor:
    """Both shapes along their paths (clip, time, object, row and column)."""
    clips, time = paths.shape[:2]
    frames = torch.zeros(clips, time, 64, 64)
    for clip, at in np.ndindex(clips, time):
        for shape, (row, column) in zip(shapes(), paths[clip, at].tolist(), strict=True):
            frames[clip, at, row : row + SIDE, column : column + SIDE] += shape
    return frames.clamp(max=1)


def crossing() -> Tensor:
    """One flies along the diagonal, the other against it: they meet in the middle."""
    step = torch.arange(9) * 4
    along = torch.stack([step, step], dim=-1)
    return torch.stack([along, along.flip(0)], dim=1)[None]


def from_first(tracks: Tensor) -> Tensor:
    """How far each object is from where it began."""
    return tracks - tracks[:, :1]


def same_up_to_order(found: Tensor, true: Tensor) -> Tensor:
    """By clip, whether both paths are found exactly, up to which is first and where windows sit."""
    right = [
        (from_first(found) == from_first(true[:, :, order])).flatten(1).all(dim=1)
        for order in ([0, 1], [1, 0])
    ]
    return right[0] | right[1]


def test_objects_are_followed_through_each_other() -> None:
    followed = follow_two(flown(crossing()))
    assert same_up_to_order(followed.tracks, crossing()).all()
    assert (followed.unexplained < GOOD).all()


def test_a_clip_is_followed_alike_alone_and_among_others() -> None:
    paths = torch.cat([crossing(), crossing().flip(1), crossing().transpose(-1, -2)])
    paths[1, :, :, 1] = 3
    together = follow_two(flown(paths)).tracks
    alone = torch.cat([follow_two(flown(path[None])).tracks for path in paths])
    assert torch.equal(together, alone)


def test_moving_a_clip_moves_its_tracks() -> None:
    paths = crossing() // 2
    here, there = (follow_two(flown(paths + by)).tracks for by in (0, 8))
    assert same_up_to_order(here + 8, there).all()


def test_an_object_is_found_at_every_move_within_reach() -> None:
    template, corner = shapes()[:1], torch.tensor([[30, 40]])
    for move in ([-4, 4], [0, 0], [3, -1]):
        there = corner + torch.tensor([move])
        assert torch.equal(looked_for(placed(template, there, SIZE), template, corner), there)


def test_what_is_not_seen_stays_where_it_was() -> None:
    template, corner = shapes()[:1], torch.tensor([[30, 40]])
    assert torch.equal(looked_for(torch.zeros(1, SIZE, SIZE), template, corner), corner)


def test_nothing_moves_in_a_clip_of_black() -> None:
    tracks, unexplained = follow_two(torch.zeros(2, 5, 64, 64))
    assert (tracks == tracks[:, :1]).all()
    assert not unexplained.any()


def test_the_first_object_is_the_lower_one_of_the_frame_where_they_are_apart() -> None:
    still, step = torch.full((9, 2), 4), torch.arange(9)
    falling = torch.stack([8 + 3 * step, torch.full_like(step, 10)], dim=-1)
    for paths in ([still, falling], [falling, still]):
        tracks = follow_two(flown(torch.stack(paths, dim=1)[None])).tracks[0]
        assert tracks[-1, 0, 0] > tracks[-1, 1, 0]


def test_objects_that_never_part_are_told_apart() -> None:
    """They cover each other in all frames, but nowhere twice alike."""
    step = torch.arange(9)
    along = torch.stack([10 + step, 10 + 2 * step], dim=-1)
    across = torch.stack([14 + step, 18 + step], dim=-1)
    paths = torch.stack([along, across], dim=1)[None]
    assert same_up_to_order(follow_two(flown(paths)).tracks, paths).all()


def test_an_object_that_another_passed_for_is_found_in_what_that_leaves() -> None:
    """They keep so near each other that no frame parts them."""
    step = torch.arange(9)
    one = torch.stack([13 + 2 * step, 14 - 2 * step], dim=-1)
    other = torch.stack([7 + 3 * step, 18 - 3 * step], dim=-1)
    paths = torch.stack([one, other], dim=1)[None].clamp(0, 31)
    assert same_up_to_order(follow_two(flown(paths)).tracks, paths).all()


def test_the_darkest_that_a_window_was_is_the_object_alone() -> None:
    paths = crossing()
    canvas = with_margin(flown(paths))
    assert unexplained(canvas, paths + MARGIN).item() == pytest.approx(0, abs=1e-9)
    wrong = paths + MARGIN
    wrong[0, 4, 0, 0] += 2
    assert unexplained(canvas, wrong).item() > GOOD


def test_an_object_lost_in_one_frame_is_found_straight_on_from_the_others() -> None:
    """Further off than it is looked for around where it was thought to be."""
    paths, canvas = crossing() + MARGIN, with_margin(flown(crossing()))
    lost = paths.clone()
    lost[0, 6, 0] += 3 * REACH
    assert same_up_to_order(refitted(canvas, lost, share=0.2), paths).all()


def test_light_is_parted_where_the_gap_is() -> None:
    frames = torch.zeros(1, 2, 64, 64)
    for at, gap in enumerate((10, 30)):
        frames[0, at, 20:30, 4:14] = frames[0, at, 20:30, 14 + gap : 24 + gap] = 1
    centres, apart = two_means(frames)
    assert centres[0, 1, :, 1].sort().values.tolist() == pytest.approx([8.5, 48.5], abs=0.1)
    assert apart[0, 1] > apart[0, 0]


def test_digits_are_followed_in_nearly_all_clips() -> None:
    """Real digits; right is: both within two pixels in nine of ten frames."""
    digits, clips = embedded_digits()[0].images, 60
    draw = np.random.default_rng(0)
    paths = _corners(draw, clips, 15)
    pairs = draw.integers(len(digits), size=(clips, 2))
    shown = Digits(digits, np.zeros(len(digits), np.int64))
    frames = np.stack([_frames(*each)[..., 0] for each in _layers(shown, pairs, paths)])
    found = follow_two(torch.from_numpy(frames).float() / 255).tracks
    true = torch.from_numpy(paths).transpose(1, 2).flip(-1)
    off = torch.stack(
        [
            (d - d.median(dim=1, keepdim=True).values).abs().amax(dim=-1)
            for d in (found - true, found - true.flip(2))
        ]
    )
    right = ((off <= 2).float().mean(dim=2) > 0.9).all(dim=-1).any(dim=0)
    assert right.float().mean() > 0.97
