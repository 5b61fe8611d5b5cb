"""Laws of the motion signal."""

import numpy as np
import pytest

from s3vae.model.two_objects.tracker import track_clips
from s3vae.signals.flow_grid import MotionSettings, clips_motion, directions, strongest_cells


def test_a_clips_signal_does_not_depend_on_the_clips_beside_it() -> None:
    clips = np.random.default_rng(0).integers(0, 255, (3, 4, 32, 32, 3), np.uint8)
    together = clips_motion(clips, MotionSettings())
    for index in range(3):
        alone = clips_motion(clips[index : index + 1], MotionSettings())
        for name in ("cells", "top", "direction"):
            np.testing.assert_array_equal(getattr(together, name)[index], getattr(alone, name)[0])


def test_the_strongest_cell_is_where_the_square_moves() -> None:
    clips = np.zeros((1, 4, 63, 63, 3), np.uint8)
    for step, frame in enumerate(clips[0]):
        frame[26:36, 47 + step : 57 + step] = 255
    motion = clips_motion(clips, MotionSettings())
    assert motion.top[..., 0].tolist() == [[5, 5, 5]]
    assert motion.direction[0, :, 1, 2].tolist() == [0, 0, 0]


def test_objects_are_tracked_and_stored_in_the_parameters_only_if_set() -> None:
    clips = np.zeros((2, 4, 64, 64, 3), np.uint8)
    for step in range(4):
        clips[:, step, 10:20, 5 + 2 * step : 15 + 2 * step] = 255
        clips[:, step, 40:50, 45 - step : 55 - step] = 200
    assert clips_motion(clips, MotionSettings()).tracks is None
    assert "objects" not in MotionSettings().parameters
    settings = MotionSettings(objects=2)
    assert settings.parameters["objects"] == 2
    tracks = clips_motion(clips, settings, track_clips).tracks
    moves = np.diff(tracks, axis=1)
    assert sorted(moves[0, 0].tolist()) == [[0, -1], [0, 2]]
    assert (moves == moves[:1, :1]).all()


def test_strongest_cells_come_strongest_first_and_equal_ones_in_the_order_of_cells() -> None:
    magnitude = np.array([[[0, 2, 0], [5, 0, 2], [0, 0, 5]]], np.float32)
    assert strongest_cells(magnitude, 4).tolist() == [[3, 8, 1, 5]]
    assert strongest_cells(np.zeros_like(magnitude), 3).tolist() == [[0, 1, 2]]


def test_more_strongest_cells_than_cells_are_refused() -> None:
    with pytest.raises(ValueError, match="at most the number of cells, 4"):
        strongest_cells(np.zeros((2, 2), np.float32), 5)


def circle(angles: np.ndarray) -> np.ndarray:
    """Cells that move by one pixel in these directions, in a grid of one row."""
    return np.stack([np.ones_like(angles), np.cos(angles), np.sin(angles)], -1)[None]


@pytest.mark.parametrize("offset", [-0.38, 0, 0.38])
def test_bins_are_centred_on_their_directions_and_increase_from_right_to_down(
    offset: float,
) -> None:
    eighths = np.arange(8) * np.pi / 4
    assert directions(circle(eighths + offset), 8, 0.5).tolist() == [[0, 1, 2, 3, 4, 5, 6, 7]]
    down = np.array([[[1.0, 0.0, 1.0]]])
    assert directions(down, 8, 0.5).item() == 2


def test_turning_all_motion_by_a_bin_turns_every_direction_by_one() -> None:
    angles = np.random.default_rng(0).uniform(-np.pi, np.pi, 100)
    before = directions(circle(angles), 8, 0.5)
    after = directions(circle(angles + np.pi / 4), 8, 0.5)
    np.testing.assert_array_equal(after, (before + 1) % 8)


def test_still_cells_have_no_direction() -> None:
    cells = np.array([[[0.04, 0.04, 0], [0.05, 0.05, 0], [0, 0, 0]]])
    assert directions(cells, 8, 0.05).tolist() == [[-1, 0, -1]]
    assert directions(cells, 8, 0).tolist() == [[0, 0, -1]]
