"""Mean motion in the cells of a grid; the paper divides a frame into 3x3 cells."""

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray


def cell_motion(
    flow: Float[ndarray, "*frames height width 2"], rows: int, columns: int
) -> Float32[ndarray, "*frames {rows} {columns} 3"]:
    """Average the magnitude and the x and y displacement of flow over every cell of a grid.

    Displacements are in pixels per frame, x to the right and y downwards as in OpenCV. The sizes of
    cells differ by at most one pixel. Sums in double precision and without BLAS, whose rounding
    differs between processors.
    """
    x, y = flow[..., 0], flow[..., 1]
    means = np.stack([np.sqrt(x**2 + y**2), x, y], axis=-1)
    for axis, cells in ((-3, rows), (-2, columns)):
        edges = np.linspace(0, means.shape[axis], cells + 1).round().astype(int)
        sums = np.add.reduceat(means, edges[:-1], axis=axis, dtype=np.float64)
        means = sums / np.expand_dims(np.diff(edges), tuple(range(1, -axis)))
    return means.astype(np.float32)
