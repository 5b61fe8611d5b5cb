"""Videos of faces up close whose config crops the centre."""

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pipelines.params import write_settings
from pipelines.tools import doctor
from pipelines.tools.framing import close_ups


def write(folder: Path, **data: Any) -> None:
    pipeline = {"datasets": {"mine": "videos"}, "models": {}, "code": ""}
    write_settings(
        folder, {"pipeline": pipeline, "datasets": {"mine": {"data": {"kind": "videos"} | data}}}
    )


@pytest.fixture(autouse=True)
def videos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, carphone: Path) -> Path:
    """A folder beside params.yaml with two videos of a face and a picture folder without one."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path)
    folder = tmp_path / "videos"
    (folder / "wall").mkdir(parents=True)
    cv2.imwrite(str(folder / "wall" / "1.png"), np.full((90, 120, 3), 99, np.uint8))
    for name in ("a.mp4", "b.mp4"):
        shutil.copy(carphone, folder / name)
    return folder


def test_mostly_faces_up_close_are_noted_with_the_config_for_them(videos: Path) -> None:
    found = doctor.framing()
    assert (found.state, found.message) == ("note", "close-ups of faces: mine")
    assert "face-videos.yaml" in found.remedy
    (videos / "b.mp4").unlink()  # one of two is not most of them
    assert doctor.framing().state == "good"


def test_small_faces_are_not_up_close(videos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.tools.framing.CLOSE_UP", 0.9)
    assert not [*close_ups()]


def test_faces_that_are_cropped_as_such_are_as_they_should_be(tmp_path: Path) -> None:
    write(tmp_path, crop="face")
    assert doctor.framing().state == "good"


def test_a_video_that_cannot_be_read_shows_no_face(videos: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        (videos / name).write_bytes(b"none")
    assert not [*close_ups()]
