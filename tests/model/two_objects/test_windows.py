"""Laws of windows: cropping inverts pasting."""

import torch
from torch import Tensor

from s3vae.model.two_objects.windows import (
    MARGIN,
    REACH,
    SIDE,
    clamp_corners,
    crop,
    crop_along,
    paste,
    subtract,
    with_margin,
)

SIZE = 64 + 2 * MARGIN


def windows() -> Tensor:
    return torch.rand(3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


def corners() -> Tensor:
    return torch.tensor([[4, 5], [20, 33], [60, 60]])


def test_the_margin_is_black_and_surrounds_the_frame() -> None:
    frames = torch.rand(2, 3, 64, 64)
    canvas = with_margin(frames)
    assert torch.equal(canvas, torch.nn.functional.pad(frames, (MARGIN,) * 4))


def test_cropping_returns_the_pasted_window() -> None:
    canvas = paste(windows(), corners(), SIZE)
    torch.testing.assert_close(crop(canvas, corners()), windows())
    assert (canvas != 0).sum() == (windows() != 0).sum()
    assert torch.equal(canvas[1, 20 : 20 + SIDE, 33 : 33 + SIDE], windows()[1])


def test_subtracting_an_object_leaves_the_other_and_nothing_negative() -> None:
    other = paste(windows().flip(0), corners().flip(0), SIZE)
    both = paste(windows(), corners(), SIZE) + other
    torch.testing.assert_close(subtract(both, windows(), corners()), other)
    assert subtract(other, windows(), corners()).min() >= 0


def test_corners_outside_the_canvas_are_clamped_to_its_edge() -> None:
    far = torch.tensor([[-9, 200], [30, 40]])
    assert clamp_corners(far, SIZE).tolist() == [[REACH, SIZE - SIDE - REACH], [30, 40]]


def test_cropping_along_tracks_gives_both_windows_of_every_frame_and_channel() -> None:
    video = torch.rand(2, 3, 2, 64, 64, generator=torch.Generator().manual_seed(1))
    tracks = torch.zeros(2, 3, 2, 2, dtype=torch.long)
    tracks[1, 2, 1] = torch.tensor([7, 11])
    tracks[1, 2, 0] = torch.tensor([-2, 0])
    cropped = crop_along(video, tracks)
    assert cropped.shape == (2, 3, 2, 2, SIDE, SIDE)
    assert torch.equal(cropped[1, 2, 1], video[1, 2, :, 7 : 7 + SIDE, 11 : 11 + SIDE])
    assert not cropped[1, 2, 0, :, :2].any()
    assert torch.equal(cropped[1, 2, 0, :, 2:], video[1, 2, :, : SIDE - 2, :SIDE])
