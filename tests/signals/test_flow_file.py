"""Laws of the flow signal's file format."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from s3vae.signals.flow_file import FlowSignal, write_flow
from s3vae.signals.flow_grid import Motion, MotionSettings, summary

PARAMETERS = MotionSettings().parameters
WITH_OBJECTS = MotionSettings(objects=2).parameters


def random_motion(clips: int, seed: int = 0) -> Motion:
    cells = np.random.default_rng(seed).normal(0, 1, (clips, 4, 3, 3, 3)).astype(np.float32)
    cells[..., 0] = np.linalg.norm(cells[..., 1:], axis=-1)
    return summary(cells, MotionSettings())


def cut(motion: Motion, start: int, stop: int) -> Motion:
    return Motion(motion.cells[start:stop], motion.top[start:stop], motion.direction[start:stop])


def test_what_is_written_is_read(tmp_path: Path) -> None:
    motion = random_motion(clips=5)
    write_flow(tmp_path / "flow.h5", [motion], PARAMETERS, "abc")
    read = FlowSignal(tmp_path / "flow.h5")
    assert len(read) == 5
    assert read.parameters == PARAMETERS
    assert read.clips_sha256 == "abc"
    for name in ("cells", "top", "direction"):
        np.testing.assert_array_equal(getattr(read.motion, name), getattr(motion, name))
        assert getattr(read.motion, name).dtype == getattr(motion, name).dtype


def test_shards_in_order_give_the_same_bytes_as_the_whole(tmp_path: Path) -> None:
    motion = random_motion(clips=7)
    write_flow(tmp_path / "whole" / "flow.h5", [motion], PARAMETERS, "abc")
    shards = [cut(motion, 0, 3), cut(motion, 3, 4), cut(motion, 4, 7)]
    write_flow(tmp_path / "shards" / "flow.h5", shards, PARAMETERS, "abc")
    whole, joined = ((tmp_path / name / "flow.h5").read_bytes() for name in ("whole", "shards"))
    assert joined == whole


def with_tracks(motion: Motion) -> Motion:
    clips, pairs = motion.cells.shape[:2]
    tracks = np.arange(clips * (pairs + 1) * 4, dtype=np.int16).reshape(clips, pairs + 1, 2, 2)
    return replace(motion, tracks=tracks, unexplained=np.arange(clips, dtype=np.float32))


def test_tracks_are_written_only_with_objects(tmp_path: Path) -> None:
    motions = [with_tracks(random_motion(2)), with_tracks(random_motion(3))]
    write_flow(tmp_path / "flow.h5", motions, WITH_OBJECTS, "abc")
    read = FlowSignal(tmp_path / "flow.h5").motion
    for name in ("tracks", "unexplained"):
        written = np.concatenate([getattr(motion, name) for motion in motions])
        np.testing.assert_array_equal(getattr(read, name), written)
    write_flow(tmp_path / "without.h5", [random_motion(2)], PARAMETERS, "abc")
    assert FlowSignal(tmp_path / "without.h5").motion.tracks is None


def test_signals_of_other_clips_are_refused(tmp_path: Path) -> None:
    write_flow(tmp_path / "flow.h5", [random_motion(2)], PARAMETERS, "abc")
    signal = FlowSignal(tmp_path / "flow.h5")
    signal.require_clips("abc")
    with pytest.raises(ValueError, match=r"flow\.h5: .*sha256 abc, not def.*dvc repro"):
        signal.require_clips("def")


def replaced(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[h5py.File], None]:
    def change_values(file: h5py.File) -> None:
        values = file[name][()]
        del file[name]
        file[name] = change(values)

    return change_values


def attribute(name: str, value: object) -> Callable[[h5py.File], None]:
    return lambda file: file.attrs.__setitem__(name, value)


RULES: list[tuple[str, Callable[[h5py.File], None]]] = [
    ("attribute format must be", attribute("format", "s3vae-clips")),
    ("attribute version must be 1", attribute("version", 2)),
    ("attribute kind must be 'flow'", attribute("kind", "landmarks")),
    ("attribute parameters must be there", lambda file: file.attrs.__delitem__("parameters")),
    ("data set top must be there", lambda file: file.__delitem__("top")),
    ("cells must be float32", replaced("cells", lambda cells: cells.astype(np.float64))),
    ("cells must be \\[clip, pair", replaced("cells", lambda cells: cells[..., 0])),
    ("cells must be finite", replaced("cells", lambda cells: cells * np.float32(np.nan))),
    ("top must be \\[clip, pair, k\\]", replaced("top", lambda top: top[1:])),
    ("top must name cells below 9", replaced("top", lambda top: top + np.uint8(9))),
    ("direction must be", replaced("direction", lambda direction: direction[:, 1:])),
    ("data set tracks must be there", lambda file: file.__delitem__("tracks")),
    ("tracks must be \\(3, 5, 2, 2\\)", replaced("tracks", lambda tracks: tracks[:, 1:])),
]


@pytest.mark.parametrize(("rule", "violate"), RULES, ids=[rule for rule, _ in RULES])
def test_a_violated_rule_is_named_with_the_file_and_the_remedy(
    tmp_path: Path, rule: str, violate: Callable[[h5py.File], None]
) -> None:
    path = tmp_path / "flow.h5"
    write_flow(path, [with_tracks(random_motion(3))], WITH_OBJECTS, "abc")
    with h5py.File(path, "a") as file:
        violate(file)
    with pytest.raises(ValueError, match=rf"flow\.h5: {rule}.*dvc repro"):
        FlowSignal(path)


def test_a_truncated_file_is_refused_and_a_missing_one_is_not_found(tmp_path: Path) -> None:
    path = tmp_path / "flow.h5"
    write_flow(path, [random_motion(3)], PARAMETERS, "abc")
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"flow\.h5: must be an HDF5 file"):
        FlowSignal(path)
    with pytest.raises(FileNotFoundError):
        FlowSignal(tmp_path / "none.h5")
