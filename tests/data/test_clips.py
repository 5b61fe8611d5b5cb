"""The clip format: files are read as they were written, and invalid ones are refused."""

import dataclasses
import fcntl
import hashlib
import multiprocessing
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from s3vae.data.clips import SPLITS, ClipFile, ClipFormatError, ClipSet, Factor, write_clips
from s3vae.files import FileInUseError

IDENTITY = np.array([7, 7, 9, 4, 4, 9])
SPLIT = np.array([0, 0, 2, 1, 1, 2])
SHAPE = (6, 4, 5, 3, 2)


def small_set(**changes: Any) -> ClipSet:
    """Make six clips of three identities, with all that the format can hold."""
    draw = np.random.default_rng(0)
    clips = ClipSet(
        name="small",
        source="drawn by a test",
        licence="none",
        parameters={"seed": 0, "nested": {"b": 1, "a": [1, 2]}},
        shape=SHAPE,
        frames=list(draw.integers(0, 256, SHAPE, dtype=np.uint8)),
        factors=(
            Factor("zebra", "static", ("striped", "plain")),
            Factor("action", "dynamic", ("walk", "run", "sleep")),
        ),
        labels={"action": np.array([0, 1, 2, 0, 1, 2]), "zebra": np.array([0, 0, 1, 1, 1, 1])},
        identity=IDENTITY,
        split=SPLIT,
        motion=draw.normal(size=(6, 3, 3, 3, 3)),
        landmarks=draw.normal(size=(6, 4, 68, 2)),
    )
    return dataclasses.replace(clips, **changes)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Write the small set."""
    path = tmp_path / "clips" / "small.h5"
    write_clips(path, small_set())
    return path


def test_a_set_is_read_as_it_was_written(path: Path) -> None:
    clips, file = small_set(), ClipFile(path)
    assert (file.name, file.source, file.licence) == (clips.name, clips.source, clips.licence)
    assert (file.clips, file.time, file.height, file.width, file.channels) == clips.shape
    assert (file.shape, file.parameters, file.factors) == (
        clips.shape,
        clips.parameters,
        clips.factors,
    )
    assert [factor.name for factor in file.static_factors] == ["zebra"]
    assert [factor.name for factor in file.dynamic_factors] == ["action"]
    for factor in clips.factors:
        assert np.array_equal(file.labels(factor.name), clips.labels[factor.name])
    assert np.array_equal(file.identity, clips.identity)
    frames = np.stack(list(clips.frames))
    assert np.array_equal(file.frames(range(6)), frames)
    assert file.sha256 == hashlib.sha256(frames.tobytes()).hexdigest()
    for written, read in ((clips.motion, file.motion), (clips.landmarks, file.landmarks)):
        assert written is not None
        assert np.array_equal(written.astype(np.float32), read)


def test_frames_are_read_in_the_order_of_their_indices(path: Path) -> None:
    frames = np.stack(list(small_set().frames))
    assert np.array_equal(ClipFile(path).frames([5, 0, 5]), frames[[5, 0, 5]])
    assert ClipFile(path).frames(np.array([], int)).shape == (0, *SHAPE[1:])
    with pytest.raises(IndexError):
        ClipFile(path).frames([6])


def test_every_clip_is_in_one_split(path: Path) -> None:
    indices = np.concatenate([ClipFile(path).split(name) for name in SPLITS])
    assert sorted(indices) == list(range(6))
    assert list(ClipFile(path).split("val")) == [3, 4]


def test_motion_landmarks_and_factors_are_optional(tmp_path: Path) -> None:
    write_clips(tmp_path / "bare.h5", small_set(motion=None, landmarks=None, factors=(), labels={}))
    file = ClipFile(tmp_path / "bare.h5")
    assert (file.motion, file.landmarks, file.factors) == (None, None, ())


def test_the_same_set_gives_the_same_bytes(path: Path, tmp_path: Path) -> None:
    write_clips(tmp_path / "again.h5", small_set())
    assert (tmp_path / "again.h5").read_bytes() == path.read_bytes()


def test_each_written_clip_is_reported(tmp_path: Path) -> None:
    counts: list[int] = []
    write_clips(tmp_path / "small.h5", small_set(), counts.append)
    assert counts == [1] * 6


def test_a_file_can_be_pickled_after_it_was_read(path: Path) -> None:
    file = ClipFile(path)
    expected = file.frames([2])
    assert np.array_equal(pickle.loads(pickle.dumps(file)).frames([2]), expected)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_processes_forked_after_reading_use_their_own_handle(path: Path) -> None:
    file = ClipFile(path)
    expected = file.frames(range(6))
    with multiprocessing.get_context("fork").Pool(2) as pool:
        frames = pool.map(file.frames, [[index] for index in range(6)])
    assert np.array_equal(np.concatenate(frames), expected)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"split": np.array([0, 1, 2, 1, 1, 2])}, "identity must be in one split only, but 7"),
        ({"split": np.array([0, 0, 4, 1, 1, 4])}, "1 .val., 2 .test. or 3 .judge., not 4"),
        ({"labels": {"zebra": SPLIT, "action": SPLIT}}, "labels of 'factors/zebra' must lie in"),
        ({"labels": {"zebra": -SPLIT, "action": SPLIT}}, "labels of 'factors/zebra' must lie in"),
        ({"labels": {"zebra": SPLIT * 0}}, "each factor must have labels, and {'zebra'} have"),
        ({"motion": np.zeros((6, 4, 3, 3, 3))}, "'motion' must be float32 .6, 3, rows"),
    ],
)
def test_a_set_that_breaks_a_rule_is_not_written(
    tmp_path: Path, changes: dict[str, Any], rule: str
) -> None:
    with pytest.raises(ClipFormatError, match=rule):
        write_clips(tmp_path / "bad.h5", small_set(**changes))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "frames",
    [
        np.zeros((5, *SHAPE[1:]), np.uint8),
        np.zeros((7, *SHAPE[1:]), np.uint8),
        np.zeros((6, 1, *SHAPE[2:]), np.uint8),
        np.zeros(SHAPE),
    ],
    ids=["too few", "too many", "another shape", "another type"],
)
def test_frames_that_do_not_fit_the_shape_are_not_written(
    tmp_path: Path, frames: np.ndarray
) -> None:
    with pytest.raises(ValueError, match="small must yield 6 clips of uint8"):
        write_clips(tmp_path / "bad.h5", small_set(frames=iter(frames)))
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_checksum_leaves_the_older_file_unchanged(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(ValueError, match=f"should have sha256 {'0' * 64} but have [0-9a-f]{{64}}"):
        write_clips(path, small_set(sha256="0" * 64))
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def _rewrite(file: h5py.File, name: str, data: np.ndarray) -> None:
    del file[name]
    file.create_dataset(name, data=data)


BREAKAGES: dict[str, Callable[[h5py.File], None]] = {
    "attribute 'format' must be": lambda file: file.attrs.update(format="zip"),
    "attribute 'version' must be 1, not 2": lambda file: file.attrs.update(version=2),
    "attribute 'licence' must exist": lambda file: file.attrs.pop("licence"),
    "'parameters' must be a JSON object": lambda file: file.attrs.update(parameters="{"),
    "'frames' must be uint8": lambda file: _rewrite(file, "frames", np.zeros(SHAPE)),
    "'frames' must not be empty": lambda file: _rewrite(
        file, "frames", np.zeros((0, *SHAPE[1:]), np.uint8)
    ),
    "one clip per chunk, not None": lambda file: _rewrite(
        file, "frames", np.zeros(SHAPE, np.uint8)
    ),
    "'identity' must be int32 .6.": lambda file: _rewrite(file, "identity", np.zeros(5, np.int32)),
    "'factors/zebra' must be int16 .6.": lambda file: _rewrite(
        file, "factors/zebra", np.zeros(5, np.int16)
    ),
    "'landmarks' must be float32 .6, 4, 68, 2.": lambda file: _rewrite(
        file, "landmarks", np.zeros((6, 4, 5, 2), np.float32)
    ),
    "'split' must be uint8": lambda file: _rewrite(file, "split", SPLIT),
    "group 'factors' must exist": lambda file: file.pop("factors"),
    "attribute 'kind'": lambda file: file["factors/zebra"].attrs.update(kind="both"),
    "attribute 'values', a JSON list": lambda file: file["factors/zebra"].attrs.pop("values"),
    "must differ from each other": lambda file: file["factors/zebra"].attrs.update(
        values='["same", "same"]'
    ),
}


@pytest.mark.parametrize("rule", BREAKAGES)
def test_an_invalid_file_is_refused_with_its_name_and_the_broken_rule(
    path: Path, rule: str
) -> None:
    with h5py.File(path, "a") as file:
        BREAKAGES[rule](file)
    with pytest.raises(ClipFormatError, match=rule) as refused:
        ClipFile(path)
    assert str(path) in str(refused.value)
    assert "docs/data.md" in str(refused.value)


def test_a_truncated_and_a_missing_file_are_refused_with_the_remedy(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ClipFormatError, match="must be a complete HDF5 file"):
        ClipFile(path)
    with pytest.raises(FileNotFoundError, match=r"none.h5 is missing: run the stage"):
        ClipFile(path.with_name("none.h5"))


def test_a_file_that_is_open_for_writing_elsewhere_is_not_called_damaged(path: Path) -> None:
    with path.open("r+b") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(FileInUseError, match=r"small\.h5 cannot be read .*: close the program"):
            ClipFile(path)
    assert ClipFile(path).clips == 6
