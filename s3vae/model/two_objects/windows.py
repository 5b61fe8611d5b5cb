"""Square windows of frames: cut out at given corners, and pasted back."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

SIDE = 32
"""Height and width of an object's window, in pixels."""
REACH = 4
"""Pixels along each axis within which an object is searched, around its last known corner."""
MARGIN = 16
"""Pixels of black around a frame; a window may reach into all of it but the last `REACH`."""

Canvas = Float[Tensor, "clip height width"]
"""Frames with their margin."""
Windows = Float[Tensor, "clip side side"]
Corners = Int[Tensor, "clip 2"]
"""Row and column of a window's upper left corner."""
Tracks = Int[Tensor, "clip time 2 2"]
"""Row and column of the corners of both objects' windows in every frame; windows may protrude."""


def with_margin(frames: Float[Tensor, "*frames 64 64"]) -> Float[Tensor, "*frames 96 96"]:
    """Pad frames with a black margin."""
    # several times as fast as torch's pad where channels are stored last
    size = frames.shape[-1] + 2 * MARGIN
    canvas = torch.zeros(*frames.shape[:-2], size, size, device=frames.device)
    canvas[..., MARGIN:-MARGIN, MARGIN:-MARGIN] = frames
    return canvas


def clamp_corners(corners: Int[Tensor, "*clips 2"], size: int) -> Int[Tensor, "*clips 2"]:
    """Move corners to the nearest ones whose search area lies within a canvas of that size."""
    return corners.clamp(REACH, size - SIDE - REACH)


def pixel_indices(corners: Corners, side: int, width: int) -> Int[Tensor, "clip pixel"]:
    """Return the flat indices of the pixels in windows of `side` in canvases of that width."""
    line = torch.arange(side, device=corners.device)
    rows, columns = corners[:, :1] + line, corners[:, 1:] + line
    return (rows[:, :, None] * width + columns[:, None]).flatten(1)


def crop(canvas: Canvas, corners: Corners, side: int = SIDE) -> Float[Tensor, "clip side side"]:
    """Cut one window out of each frame."""
    pixels = canvas.flatten(1).gather(1, pixel_indices(corners, side, canvas.shape[-1]))
    return pixels.reshape(-1, side, side)


def paste(windows: Windows, corners: Corners, size: int) -> Canvas:
    """Return black canvases with one window each."""
    canvas = torch.zeros(len(windows), size * size, device=windows.device)
    return canvas.scatter_(1, pixel_indices(corners, SIDE, size), windows.flatten(1)).reshape(
        -1, size, size
    )


def subtract(frames: Canvas, windows: Windows, corners: Corners) -> Canvas:
    """Subtract an object from each frame; intensities stay at least 0."""
    return (frames - paste(windows, corners, frames.shape[-1])).relu()


def crop_along(
    video: Float[Tensor, "clip time channel height width"], tracks: Tracks
) -> Float[Tensor, "clip time 2 channel side side"]:
    """Cut both objects' windows out of every frame; black where they reach outside it."""
    clips, time, channels, size = video.shape[:4]
    line = torch.arange(SIDE, device=video.device)
    rows, columns = (tracks[..., axis, None] + line for axis in (0, 1))
    inside = [(lines >= 0) & (lines < size) for lines in (rows, columns)]
    nearest = rows.clamp(0, size - 1)[..., None] * size + columns.clamp(0, size - 1)[..., None, :]
    indices = nearest.flatten(2)[:, :, None].expand(-1, -1, channels, -1)
    windows = video.flatten(3).gather(3, indices)
    windows = windows.reshape(clips, time, channels, 2, SIDE, SIDE).transpose(2, 3)
    return windows * (inside[0][..., None] & inside[1][..., None, :])[:, :, :, None]
