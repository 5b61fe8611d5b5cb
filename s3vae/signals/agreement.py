"""How well estimated motion agrees with exact motion, where a data set knows it."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray


def top_cell_accuracy(
    estimated: Float[ndarray, "*pairs rows columns 3"],
    exact: Float[ndarray, "*pairs rows columns 3"],
    least: float = 0.0,
    tolerance: float = 0.05,
) -> float:
    """The share of frame pairs whose strongest estimated cell is the exact strongest one.

    Pairs in which no cell moves more than `least` (exact mean magnitude, pixels per frame) are left
    out. A cell whose exact magnitude is within the share `tolerance` of the strongest counts as
    right: such a pair has no one strongest cell. NaN when no pair is left.
    """
    found = estimated[..., 0].reshape(-1, estimated.shape[-3] * estimated.shape[-2]).argmax(axis=-1)
    true = exact[..., 0].reshape(len(found), -1)
    strongest = true.max(axis=-1)
    right = true[np.arange(len(found)), found] >= (1 - tolerance) * strongest
    moving = strongest > least
    return float(right[moving].mean()) if moving.any() else float("nan")
