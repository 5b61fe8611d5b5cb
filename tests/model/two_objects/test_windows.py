"""Windows of frames: what is taken out of a place is what was laid there."""

import torch
from torch import Tensor

from s3vae.model.two_objects.windows import (
    MARGIN,
    REACH,
    SIDE,
    placed,
    remainder,
    seen_along,
    windows,
    with_margin,
    within,
)

SIZE = 64 + 2 * MARGIN


def seen(clips: int = 3) -> Tensor:
    return torch.rand(clips, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


def corners() -> Tensor:
    return torch.tensor([[4, 5], [20, 33], [60, 60]])


def test_the_margin_is_black_and_the_frame_amid_it() -> None:
    frames = torch.rand(2, 3, 64, 64)
    canvas = with_margin(frames)
    assert torch.equal(canvas, torch.nn.functional.pad(frames, (MARGIN,) * 4))


def test_what_is_laid_down_is_what_is_seen_there() -> None:
    canvas = placed(seen(), corners(), SIZE)
    torch.testing.assert_close(windows(canvas, corners()), seen())
    assert (canvas != 0).sum() == (seen() != 0).sum()
    assert torch.equal(canvas[1, 20 : 20 + SIDE, 33 : 33 + SIDE], seen()[1])


def test_an_object_leaves_the_rest_of_the_frame_and_no_darkness() -> None:
    other = placed(seen().flip(0), corners().flip(0), SIZE)
    both = placed(seen(), corners(), SIZE) + other
    torch.testing.assert_close(remainder(both, seen(), corners()), other)
    assert remainder(other, seen(), corners()).min() >= 0


def test_corners_that_are_too_far_out_come_back_to_the_edge() -> None:
    far = torch.tensor([[-9, 200], [30, 40]])
    assert within(far, SIZE).tolist() == [[REACH, SIZE - SIDE - REACH], [30, 40]]


def test_both_objects_are_seen_in_every_frame_and_channel() -> None:
    video = torch.rand(2, 3, 2, 64, 64, generator=torch.Generator().manual_seed(1))
    tracks = torch.zeros(2, 3, 2, 2, dtype=torch.long)
    tracks[1, 2, 1] = torch.tensor([7, 11])
    tracks[1, 2, 0] = torch.tensor([-2, 0])
    along = seen_along(video, tracks)
    assert along.shape == (2, 3, 2, 2, SIDE, SIDE)
    assert torch.equal(along[1, 2, 1], video[1, 2, :, 7 : 7 + SIDE, 11 : 11 + SIDE])
    assert not along[1, 2, 0, :, :2].any()
    assert torch.equal(along[1, 2, 0, :, 2:], video[1, 2, :, : SIDE - 2, :SIDE])
