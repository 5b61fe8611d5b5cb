"""Laws of cell motion: it agrees with a plain loop over cells."""

import numpy as np
import pytest
from numpy import ndarray

from s3vae.grid import cell_motion


def moving(*shape: int) -> ndarray:
    return np.random.default_rng(0).normal(size=(*shape, 2)).astype(np.float32)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (63, 66), (7, 5)])
def test_every_cell_is_the_mean_over_its_own_pixels(height: int, width: int) -> None:
    flow = moving(height, width)
    field = np.concatenate([np.hypot(*np.moveaxis(flow, -1, 0))[..., None], flow], axis=-1)
    rows, columns = (np.round(np.arange(4) * size / 3).astype(int) for size in (height, width))
    expected = [
        [
            field[rows[i] : rows[i + 1], columns[j] : columns[j + 1]].mean(axis=(0, 1))
            for j in range(3)
        ]
        for i in range(3)
    ]
    np.testing.assert_allclose(cell_motion(flow, 3, 3), expected, atol=1e-5)


def test_opposite_motions_in_a_cell_have_a_magnitude_but_no_direction() -> None:
    flow = np.zeros((2, 2, 2), np.float32)
    flow[0], flow[1] = (2, 0), (-2, 0)
    assert cell_motion(flow, 1, 1).tolist() == [[[2, 0, 0]]]


def test_rows_are_counted_downwards_and_columns_to_the_right() -> None:
    flow = np.zeros((6, 6, 2), np.float32)
    flow[5, 0] = 1, 0
    assert np.argwhere(cell_motion(flow, 3, 3)[..., 0]).tolist() == [[2, 0]]


def test_frames_do_not_mix() -> None:
    flow = moving(2, 5, 12, 12)
    whole = cell_motion(flow, 3, 3)
    assert whole.shape == (2, 5, 3, 3, 3)
    np.testing.assert_array_equal(whole[1, 3], cell_motion(flow[1, 3], 3, 3))
