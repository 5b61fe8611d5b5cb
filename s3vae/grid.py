"""Mean motion in the cells of a grid; the paper divides a frame into 3x3 cells."""

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray


def cell_motion(
    flow: Float[ndarray, "*frames height width 2"], rows: int, columns: int
) -> Float32[ndarray, "*frames {rows} {columns} 3"]:
    """Average the magnitude and the x and y displacement of flow over every cell of a grid.

    Displacements are in pixels per frame, x to the right and y downwards as in OpenCV. The sizes of
    cells differ by at most one pixel.
    """
    x, y = flow[..., 0], flow[..., 1]
    over_height = averaging_matrix(flow.shape[-3], rows)
    over_width = averaging_matrix(flow.shape[-2], columns)
    means = [over_height @ field @ over_width.T for field in (np.sqrt(x**2 + y**2), x, y)]
    return np.stack(means, axis=-1).astype(np.float32)


def averaging_matrix(pixels: int, cells: int) -> Float32[ndarray, "cells pixels"]:
    """Return the matrix that maps a row or column of pixels to the means of its cells."""
    edges = np.linspace(0, pixels, cells + 1).round().astype(int)
    inside = np.arange(pixels) < edges[1:, None]
    inside &= np.arange(pixels) >= edges[:-1, None]
    matrix: ndarray = inside / inside.sum(axis=1, keepdims=True)
    return matrix.astype(np.float32)
