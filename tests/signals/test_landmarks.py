"""Laws of landmark distances and of frames without a face."""

import numpy as np
import pytest

from s3vae.signals.landmarks import DISTANCES, Landmarks, distances, fill_gaps, longest_gap


def test_distances_are_those_of_lids_and_lips_over_the_outer_eyes() -> None:
    points = np.zeros((68, 2))
    points[36], points[45] = (0, 0), (20, 0)
    points[[37, 38], 1], points[[40, 41], 1] = -1, 1
    points[[43, 44], 1], points[[46, 47], 1] = -1.5, 1.5
    points[[61, 62, 63], 1], points[[65, 66, 67], 1] = 10, 14
    assert distances(points) == pytest.approx([0.1, 0.15, 0.2])
    assert len(DISTANCES) == 3


def test_a_short_gap_is_filled_linearly_and_the_ends_constantly() -> None:
    points = np.zeros((1, 6, 68, 2), np.float32)
    points[0, :, :, 0] = np.arange(6)[:, None]
    found = np.array([[False, True, False, False, True, False]])
    filled, complete = fill_gaps(Landmarks(points * found[..., None, None], found), longest=2)
    assert complete.tolist() == [True]
    assert filled[0, :, 7, 0].tolist() == pytest.approx([1, 1, 2, 3, 4, 4])


def test_a_clip_with_a_longer_gap_has_no_landmarks() -> None:
    points = np.ones((3, 6, 68, 2), np.float32)
    found = np.ones((3, 6), bool)
    found[0, 1:4], found[1] = False, False
    filled, complete = fill_gaps(Landmarks(points, found), longest=2)
    assert complete.tolist() == [False, False, True]
    assert not filled[:2].any()
    assert np.array_equal(filled[2], points[2])


@pytest.mark.parametrize(
    ("found", "gap"), [("0110", 1), ("1001", 2), ("1111", 0), ("0000", 5), ("1000", 3)]
)
def test_the_longest_gap_is_counted_at_the_ends_too(found: str, gap: int) -> None:
    assert longest_gap(np.array([each == "1" for each in found])) == gap
