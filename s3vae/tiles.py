"""Clips laid out as rows and columns of one film or picture."""

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

Grid = UInt8[ndarray, "row column time height width channel"]
GAP, FRAMES_IN_STILL = 2, 3


def film(grid: Grid) -> UInt8[ndarray, "time tall wide rgb"]:
    """Return the grid as one film of all clips at once."""
    gaps = ((0, 0), (0, 0), (0, 0), (GAP, 0), (GAP, 0), (0, 0))
    spaced = np.pad(grid, gaps, constant_values=64)
    rows, columns, time, height, width, channels = spaced.shape
    tiled: ndarray = spaced.transpose(2, 0, 3, 1, 4, 5).reshape(
        time, rows * height, columns * width, channels
    )
    return np.repeat(tiled, 3, axis=-1) if channels == 1 else tiled


def still(grid: Grid) -> UInt8[ndarray, "tall wide rgb"]:
    """Return the grid as one picture with evenly spaced frames of every clip side by side."""
    time = np.linspace(0, grid.shape[2] - 1, FRAMES_IN_STILL).round().astype(int)
    strips = np.concatenate(list(np.moveaxis(grid[:, :, time], 2, 0)), axis=3)
    picture: ndarray = film(strips[:, :, None])[0]
    return picture
