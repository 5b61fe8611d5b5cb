"""Square windows of frames, by the number of the pixels in them: gathered, and laid back."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad

SIDE = 32
"""Of the window in which an object is seen."""
REACH = 4
"""Pixels along each axis that an object moves at most from one frame to the next."""
MARGIN = 16
"""Pixels around a frame into which a window may reach."""

Canvas = Float[Tensor, "clip height width"]
"""Frames with their margin."""
Windows = Float[Tensor, "clip side side"]
Corners = Int[Tensor, "clip 2"]
"""Row and column of a window's upper left corner."""
Tracks = Int[Tensor, "clip time 2 2"]
"""Row and column of the corners of both objects' windows in every frame; a part may lie outside."""


def within(corners: Int[Tensor, "*clips 2"], size: int) -> Int[Tensor, "*clips 2"]:
    """The nearest corners from which one may still look around, in a canvas of that size."""
    return corners.clamp(REACH, size - SIDE - REACH)


def cells(corners: Corners, side: int, width: int) -> Int[Tensor, "clip cell"]:
    """The numbers, row by row, of a canvas' pixels that lie in a window of `side` pixels."""
    line = torch.arange(side, device=corners.device)
    rows, columns = corners[:, :1] + line, corners[:, 1:] + line
    return (rows[:, :, None] * width + columns[:, None]).flatten(1)


def windows(canvas: Canvas, corners: Corners, side: int = SIDE) -> Float[Tensor, "clip side side"]:
    """What is in the window of each frame."""
    chosen = canvas.flatten(1).gather(1, cells(corners, side, canvas.shape[-1]))
    return chosen.reshape(-1, side, side)


def placed(seen: Windows, corners: Corners, size: int) -> Canvas:
    """Black but for each window."""
    canvas = torch.zeros(len(seen), size * size, device=seen.device)
    return canvas.scatter_(1, cells(corners, SIDE, size), seen.flatten(1)).reshape(-1, size, size)


def left(frames: Canvas, seen: Windows, corners: Corners) -> Canvas:
    """What an object there leaves of a frame for the other one."""
    return (frames - placed(seen, corners, frames.shape[-1])).relu()


def seen_along(
    video: Float[Tensor, "clip time channel height width"], tracks: Tracks
) -> Float[Tensor, "clip time 2 channel side side"]:
    """What is in the windows of both objects in every frame."""
    clips, time, channels = video.shape[:3]
    canvas = pad(video, (MARGIN,) * 4).flatten(0, 2)
    corners = (
        within(tracks + MARGIN, canvas.shape[-1])[:, :, None]
        .expand(-1, -1, channels, -1, -1)
        .flatten(0, 2)
    )
    shape = (clips, time, channels, SIDE, SIDE)
    each = [windows(canvas, corners[:, k]).reshape(shape) for k in (0, 1)]
    return torch.stack(each, dim=2)
