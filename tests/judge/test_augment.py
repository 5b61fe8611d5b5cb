"""Augmentation keeps what labels depend on."""

from collections.abc import Callable
from itertools import product

import torch
from torch import Generator

from s3vae.judge.augment import mirror_clips, sample_frames, shift_clips

Draws = Callable[[int], Generator]


def test_all_frames_of_a_clip_are_shifted_alike(draws: Draws) -> None:
    frames = torch.randint(255, (40, 3, 9, 11, 2), generator=draws(0)).byte()
    result = shift_clips(frames, 2, draws(1))
    shifts = set()
    for clip, shifted in zip(frames, result, strict=True):
        (shift,) = (
            (down, right)
            for down, right in product(range(-2, 3), repeat=2)
            if torch.equal(
                shifted[:, 2:-2, 2:-2], clip.roll((-down, -right), (1, 2))[:, 2:-2, 2:-2]
            )
        )
        shifts.add(shift)
    assert len(shifts) > 12
    assert torch.equal(shift_clips(frames, 0, draws(1)), frames)


def test_a_shift_repeats_the_edge(draws: Draws) -> None:
    stripes = torch.arange(8, dtype=torch.uint8).repeat(30, 2, 8, 1)[..., None]
    shifted = shift_clips(stripes, 1, draws(0))[:, 0, 0, :, 0].tolist()
    assert {tuple(row) for row in shifted} == {
        (0, 0, 1, 2, 3, 4, 5, 6),
        (0, 1, 2, 3, 4, 5, 6, 7),
        (1, 2, 3, 4, 5, 6, 7, 7),
    }


def test_half_of_the_clips_are_mirrored_as_a_whole(draws: Draws) -> None:
    frames = torch.randint(255, (200, 3, 4, 5, 2), generator=draws(0)).byte()
    result = mirror_clips(frames, draws(1))
    same = [torch.equal(a, b) for a, b in zip(frames, result, strict=True)]
    flipped = [torch.equal(a, b.flip(2)) for a, b in zip(frames, result, strict=True)]
    assert all(a != b for a, b in zip(same, flipped, strict=True))
    assert 70 < sum(flipped) < 130


def test_sampled_frames_are_distinct_ones_of_the_same_clip_in_their_order(draws: Draws) -> None:
    clip, time = torch.meshgrid(torch.arange(20), torch.arange(6), indexing="ij")
    frames = (10 * clip + time).byte()[..., None, None, None]
    chosen = sample_frames(frames, 4, draws(0))[..., 0, 0, 0].int()
    assert chosen.shape == (20, 4)
    assert (chosen // 10 == torch.arange(20)[:, None]).all()
    assert (chosen.diff(dim=1) > 0).all()
    assert len({tuple((row % 10).tolist()) for row in chosen}) > 5
    assert torch.equal(sample_frames(frames, 6, draws(0)), frames)
