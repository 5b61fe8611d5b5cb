"""Static consistency: the positive is the clip itself, the negative never is."""

from collections.abc import Callable

import pytest
import torch
from torch import Generator, Tensor

from s3vae.losses.consistency import other_clips, random_half, shuffle_frames, triplet

Draws = Callable[[int], Generator]


def numbered_frames(batch: int, time: int) -> Tensor:
    """Features that tell clip and frame: 100 x clip + frame, and its negative."""
    numbers = 100.0 * torch.arange(batch)[:, None] + torch.arange(time)
    return torch.stack([numbers, -numbers], dim=-1)


def test_shuffling_keeps_every_clip_its_own_frames(draws: Draws) -> None:
    features = numbered_frames(batch=4, time=8)
    shuffled = shuffle_frames(features, draws(0))
    assert not torch.equal(shuffled, features)
    assert torch.equal(shuffled[..., 0].sort(dim=1).values, features[..., 0])


def test_shuffling_leaves_the_features_of_a_frame_together(draws: Draws) -> None:
    shuffled = shuffle_frames(numbered_frames(batch=4, time=8), draws(0))
    assert torch.equal(shuffled[..., 0], -shuffled[..., 1])


def test_clips_are_shuffled_in_orders_of_their_own(draws: Draws) -> None:
    shuffled = shuffle_frames(numbered_frames(batch=6, time=8), draws(0))[..., 0] % 100
    assert len({tuple(order) for order in shuffled.tolist()}) == 6


def test_every_order_is_as_likely(draws: Draws) -> None:
    shuffled = shuffle_frames(numbered_frames(batch=6000, time=3), draws(0))[..., 0] % 100
    counts = torch.unique(shuffled, dim=0, return_counts=True)[1]
    assert len(counts) == 6
    assert (counts - 1000).abs().max() < 150  # five standard deviations


def test_whole_videos_may_be_shuffled_too(draws: Draws) -> None:
    video = torch.rand(2, 5, 3, 4, 4)
    shuffled = shuffle_frames(video, draws(0))
    for clip, own in zip(shuffled, video, strict=True):
        assert all(any(torch.equal(frame, each) for each in own) for frame in clip)


@pytest.mark.parametrize(("time", "half"), [(8, 4), (7, 3), (2, 1), (1, 1)])
def test_a_random_half_is_half_of_the_own_frames_without_repeats(
    time: int, half: int, draws: Draws
) -> None:
    chosen = random_half(numbered_frames(batch=4, time=time), draws(0))[..., 0]
    assert chosen.shape == (4, half)
    assert torch.equal(chosen // 100, torch.arange(4.0)[:, None].expand(4, half))
    assert all(len(set(clip)) == half for clip in chosen.tolist())


def test_every_frame_is_as_often_in_the_random_half(draws: Draws) -> None:
    chosen = random_half(numbered_frames(batch=4000, time=4), draws(0))[..., 0] % 100
    shares = torch.bincount(chosen.flatten().long(), minlength=4) / 4000
    assert (shares - 0.5).abs().max() < 0.04


@pytest.mark.parametrize("batch", range(2, 10))
def test_a_clip_is_never_its_own_negative(batch: int) -> None:
    clips = torch.arange(float(batch))[:, None]
    others = other_clips(clips)
    assert not (others == clips).any()
    assert torch.equal(others.sort(dim=0).values, clips)


def code(*values: float) -> Tensor:
    return torch.tensor([values], dtype=torch.float)


@pytest.mark.parametrize(
    ("positive", "negative", "expected"),
    [
        (code(0, 0), code(9, 0), 0.0),  # as it should be
        (code(0, 0), code(0, 0), 1.0),  # all alike: the margin
        (code(2, 0), code(0, 0), 5.0),  # the wrong way round: the distance and the margin
        (code(0, 0), code(1, 0), 0.0),  # exactly the margin apart
        (code(0, 1), code(1, 1), 0.0),
        (code(1, 1), code(0, 1), 2.0),
    ],
)
def test_the_triplet_has_the_value_of_its_formula(
    positive: Tensor, negative: Tensor, expected: float
) -> None:
    assert triplet(code(0, 0), positive, negative, margin=1.0).item() == expected


def test_a_satisfied_triplet_has_no_gradient() -> None:
    anchor = code(0, 0).requires_grad_()
    triplet(anchor, code(0, 0.5), code(9, 0), margin=1.0).backward()  # type: ignore[no-untyped-call]
    assert anchor.grad is not None
    assert not anchor.grad.any()


def test_the_margin_counts() -> None:
    assert triplet(code(0, 0), code(0, 0), code(2, 0), margin=7.0).item() == 3


def test_doubling_the_batch_does_not_change_the_triplet() -> None:
    anchor, positive, negative = torch.randn(3, 5, 4)
    once = triplet(anchor, positive, negative, margin=1.0)
    twice = [each.repeat(2, 1) for each in (anchor, positive, negative)]
    torch.testing.assert_close(triplet(twice[0], twice[1], twice[2], margin=1.0), once)
