"""Square windows of frames, by the number of the pixels in them: gathered, and laid back."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

SIDE = 32
"""Of the window in which an object is seen."""
REACH = 4
"""Pixels along each axis within which an object is looked for, from where it was thought to be."""
MARGIN = 16
"""Pixels of black around a frame; a window may reach into all of it but the last `REACH`."""

Canvas = Float[Tensor, "clip height width"]
"""Frames with their margin."""
Windows = Float[Tensor, "clip side side"]
Corners = Int[Tensor, "clip 2"]
"""Row and column of a window's upper left corner."""
Tracks = Int[Tensor, "clip time 2 2"]
"""Row and column of the corners of both objects' windows in every frame; a part may lie outside."""


def with_margin(frames: Float[Tensor, "*frames 64 64"]) -> Float[Tensor, "*frames 96 96"]:
    """Frames amid their margin, which is black."""
    # several times as fast as torch's pad where channels are stored last
    size = frames.shape[-1] + 2 * MARGIN
    canvas = torch.zeros(*frames.shape[:-2], size, size, device=frames.device)
    canvas[..., MARGIN:-MARGIN, MARGIN:-MARGIN] = frames
    return canvas


def within(corners: Int[Tensor, "*clips 2"], size: int) -> Int[Tensor, "*clips 2"]:
    """The nearest corners from which one may still look around, in a canvas of that size."""
    return corners.clamp(REACH, size - SIDE - REACH)


def numbers_within(corners: Corners, side: int, width: int) -> Int[Tensor, "clip cell"]:
    """The numbers, row by row, of a canvas' pixels that lie in a window of `side` pixels."""
    line = torch.arange(side, device=corners.device)
    rows, columns = corners[:, :1] + line, corners[:, 1:] + line
    return (rows[:, :, None] * width + columns[:, None]).flatten(1)


def windows(canvas: Canvas, corners: Corners, side: int = SIDE) -> Float[Tensor, "clip side side"]:
    """What is in the window of each frame."""
    chosen = canvas.flatten(1).gather(1, numbers_within(corners, side, canvas.shape[-1]))
    return chosen.reshape(-1, side, side)


def placed(seen: Windows, corners: Corners, size: int) -> Canvas:
    """Black but for each window."""
    canvas = torch.zeros(len(seen), size * size, device=seen.device)
    return canvas.scatter_(1, numbers_within(corners, SIDE, size), seen.flatten(1)).reshape(
        -1, size, size
    )


def remainder(frames: Canvas, seen: Windows, corners: Corners) -> Canvas:
    """What an object there leaves of a frame for the other one."""
    return (frames - placed(seen, corners, frames.shape[-1])).relu()


def seen_along(
    video: Float[Tensor, "clip time channel height width"], tracks: Tracks
) -> Float[Tensor, "clip time 2 channel side side"]:
    """What is in the windows of both objects in every frame; black where they reach outside."""
    clips, time, channels, size = video.shape[:4]
    line = torch.arange(SIDE, device=video.device)
    rows, columns = (tracks[..., axis, None] + line for axis in (0, 1))
    inside = [(lines >= 0) & (lines < size) for lines in (rows, columns)]
    nearest = rows.clamp(0, size - 1)[..., None] * size + columns.clamp(0, size - 1)[..., None, :]
    of_frame = nearest.flatten(2)[:, :, None].expand(-1, -1, channels, -1)
    seen = video.flatten(3).gather(3, of_frame)
    seen = seen.reshape(clips, time, channels, 2, SIDE, SIDE).transpose(2, 3)
    return seen * (inside[0][..., None] & inside[1][..., None, :])[:, :, :, None]
