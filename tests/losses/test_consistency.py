"""Static consistency: the positive is the shuffled clip itself, the negative another clip."""

from collections.abc import Callable

import pytest
import torch
from torch import Generator, Tensor

from s3vae.losses.consistency import other_clips, random_half, shuffle_frames, triplet

Draws = Callable[[int], Generator]


def numbered_frames(batch: int, time: int) -> Tensor:
    """Two features per frame, 100 x clip + frame and its negative."""
    numbers = 100.0 * torch.arange(batch)[:, None] + torch.arange(time)
    return torch.stack([numbers, -numbers], dim=-1)


def test_shuffling_permutes_whole_frames_within_every_clip(draws: Draws) -> None:
    features = numbered_frames(batch=4, time=8)
    shuffled = shuffle_frames(features, draws(0))
    assert not torch.equal(shuffled, features)
    assert torch.equal(shuffled[..., 0].sort(dim=1).values, features[..., 0])
    assert torch.equal(shuffled[..., 0], -shuffled[..., 1])


def test_clips_are_shuffled_independently_and_all_orders_are_equally_likely(draws: Draws) -> None:
    shuffled = shuffle_frames(numbered_frames(batch=6000, time=3), draws(0))[..., 0] % 100
    counts = torch.unique(shuffled, dim=0, return_counts=True)[1]
    assert len(counts) == 6
    assert (counts - 1000).abs().max() < 150  # five standard deviations


@pytest.mark.parametrize(("time", "half"), [(8, 4), (7, 3), (2, 1), (1, 1)])
def test_a_random_half_has_half_of_the_frames_of_its_clip_without_repeats(
    time: int, half: int, draws: Draws
) -> None:
    chosen = random_half(numbered_frames(batch=4, time=time), draws(0))[..., 0]
    assert chosen.shape == (4, half)
    assert torch.equal(chosen // 100, torch.arange(4.0)[:, None].expand(4, half))
    assert all(len(set(clip)) == half for clip in chosen.tolist())


def test_all_frames_are_equally_likely_in_a_random_half(draws: Draws) -> None:
    chosen = random_half(numbered_frames(batch=4000, time=4), draws(0))[..., 0] % 100
    frequencies = torch.bincount(chosen.flatten().long(), minlength=4) / 4000
    assert (frequencies - 0.5).abs().max() < 0.04


@pytest.mark.parametrize("batch", range(2, 10))
def test_a_clip_is_never_its_own_negative(batch: int) -> None:
    clips = torch.arange(float(batch))[:, None]
    others = other_clips(clips)
    assert not (others == clips).any()
    assert torch.equal(others.sort(dim=0).values, clips)


def code(*values: float) -> Tensor:
    return torch.tensor([values], dtype=torch.float)


@pytest.mark.parametrize(
    ("positive", "negative", "margin", "expected"),
    [
        (code(0, 0), code(9, 0), 1, 0.0),  # satisfied
        (code(0, 0), code(0, 0), 1, 1.0),  # equal codes: the margin
        (code(2, 0), code(0, 0), 1, 5.0),  # reversed: the distance and the margin
        (code(0, 0), code(1, 0), 1, 0.0),  # exactly the margin apart
        (code(1, 1), code(0, 1), 1, 2.0),
        (code(0, 0), code(2, 0), 7, 3.0),
    ],
)
def test_the_triplet_loss_follows_its_formula(
    positive: Tensor, negative: Tensor, margin: float, expected: float
) -> None:
    assert triplet(code(0, 0), positive, negative, margin).item() == expected


def test_doubling_the_batch_does_not_change_the_triplet_loss() -> None:
    codes = torch.randn(3, 5, 4)
    once, twice = (triplet(*each, margin=1.0) for each in (codes, codes.repeat(1, 2, 1)))
    torch.testing.assert_close(twice, once)
