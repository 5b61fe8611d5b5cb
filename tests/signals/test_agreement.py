"""Laws of the scores of signals, and the accuracy that optical flow must reach."""

from pathlib import Path

import numpy as np

from s3vae.data.dsprites.dsprites import DSprites
from s3vae.signals.agreement import flow_scores, top_cell_accuracy
from s3vae.signals.flow_grid import Motion, MotionSettings, clips_motion
from s3vae.signals.optical_flow import TVL1, Farneback


def cells(*magnitudes: list[float]) -> np.ndarray:
    """Pairs of frames with these magnitudes in a grid of one row, all moving to the right."""
    one_row = np.array(magnitudes, np.float32)[:, None, :]
    return np.stack([one_row, one_row, np.zeros_like(one_row)], -1)


def test_exact_motion_is_right_and_the_weakest_cell_is_wrong() -> None:
    exact = cells([1, 2, 3], [3, 1, 2])
    assert top_cell_accuracy(exact, exact) == 1
    assert top_cell_accuracy(4 - exact, exact) == 0
    assert top_cell_accuracy(cells([1, 2, 3], [1, 2, 3]), exact) == 0.5


def test_a_scale_of_motion_does_not_change_the_accuracy() -> None:
    exact, estimated = cells([1, 2, 3], [3, 1, 2], [1, 4, 2]), cells(*[[0, 1, 2]] * 3)
    assert top_cell_accuracy(7 * estimated, exact) == top_cell_accuracy(estimated, 7 * exact)


def test_pairs_without_motion_are_left_out() -> None:
    exact, estimated = cells([1, 2], [0, 0], [0.01, 0]), cells([1, 2], [1, 0], [0, 1])
    assert top_cell_accuracy(estimated, exact) == 0.5
    assert top_cell_accuracy(estimated[1:2], exact[1:2]) is None


def test_a_cell_almost_as_strong_as_the_strongest_counts_as_right() -> None:
    estimated = cells([1, 0])
    assert top_cell_accuracy(estimated, cells([0.96, 1])) == 1
    assert top_cell_accuracy(estimated, cells([0.94, 1])) == 0


def test_without_exact_motion_there_is_no_accuracy_and_tracks_are_scored_apart() -> None:
    motion = Motion(
        np.ones((4, 1, 1, 2, 3), np.float32),
        np.zeros((4, 1, 1), np.uint8),
        np.zeros((4, 1, 1, 2), np.int8),
        np.zeros((4, 2, 2, 2), np.int16),
        np.array([0, 0.1, 0.2, 5], np.float32),
    )
    expected = {"top_cell_accuracy": None, "clips_explained_by_tracks": 0.75}
    assert flow_scores(motion, None, explained=0.2) == expected


def test_the_strongest_cell_is_right_in_nine_of_ten_pairs() -> None:
    drawn = DSprites(takes=1).clips(raw=Path())
    every = 23
    frames = np.stack([clip for index, clip in enumerate(drawn.frames) if index % every == 0])
    for method in (Farneback(), TVL1()):
        estimated = clips_motion(frames, MotionSettings(method=method)).cells
        assert top_cell_accuracy(estimated, drawn.motion[::every]) >= 0.9, method.kind
