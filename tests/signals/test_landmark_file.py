"""Laws of the landmark signal's file format."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from s3vae.signals.landmark_file import LandmarkSignal, write_landmarks
from s3vae.signals.landmarks import Landmarks, distances

PARAMETERS = {"longest_gap": 1}


def some_faces(clips: int, missing: tuple[tuple[int, int], ...] = ()) -> Landmarks:
    points = np.random.default_rng(0).normal(30, 9, (clips, 5, 68, 2)).astype(np.float32)
    found = np.ones((clips, 5), bool)
    for place in missing:
        found[place] = False
    return Landmarks(points * found[..., None, None], found)


def test_what_is_written_is_read_with_its_distances(tmp_path: Path) -> None:
    faces = some_faces(3)
    write_landmarks(tmp_path / "landmarks.h5", [faces], PARAMETERS, "abc")
    read = LandmarkSignal(tmp_path / "landmarks.h5")
    assert len(read) == 3
    assert (read.parameters, read.clips_sha256) == (PARAMETERS, "abc")
    assert np.array_equal(read.points, faces.points)
    assert np.array_equal(read.distances, distances(faces.points))
    assert read.whole.all()


def test_gaps_are_filled_or_their_clips_dropped_and_the_mask_is_kept(tmp_path: Path) -> None:
    faces = some_faces(2, missing=((0, 2), (1, 1), (1, 2)))
    write_landmarks(tmp_path / "landmarks.h5", [faces], PARAMETERS, "abc")
    read = LandmarkSignal(tmp_path / "landmarks.h5")
    assert read.whole.tolist() == [True, False]
    assert np.array_equal(read.found, faces.found)
    between = (faces.points[0, 1] + faces.points[0, 3]) / 2
    assert read.points[0, 2] == pytest.approx(between, rel=1e-5)


def test_shards_in_order_give_the_same_bytes_as_the_whole(tmp_path: Path) -> None:
    faces = some_faces(4, missing=((1, 0), (2, 2)))
    parts = [Landmarks(faces.points[k : k + 2], faces.found[k : k + 2]) for k in (0, 2)]
    for name, shards in (("one", [faces]), ("two", parts)):
        write_landmarks(tmp_path / name, shards, PARAMETERS, "abc")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("points", np.zeros((2, 5, 5, 2), np.float32), r"points must be \[clip, time, 68, 2\]"),
        ("found", np.ones((2, 4), bool), r"found must be \(2, 5\)"),
        ("distances", np.full((2, 5, 3), np.nan, np.float32), "distances must be finite"),
        ("whole", np.ones(2, np.int8), "whole must be bool"),
        ("found", None, "data set found must be there"),
    ],
)
def test_a_violated_rule_is_named_with_the_file_and_the_remedy(
    name: str, value: np.ndarray | None, rule: str, tmp_path: Path
) -> None:
    path = tmp_path / "landmarks.h5"
    write_landmarks(path, [some_faces(2)], PARAMETERS, "abc")
    with h5py.File(path, "r+") as file:
        del file[name]
        if value is not None:
            file[name] = value
    with pytest.raises(ValueError, match=rf"landmarks\.h5: {rule}.*dvc repro"):
        LandmarkSignal(path)
