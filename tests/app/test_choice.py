"""The model that fits."""

from pathlib import Path

import numpy as np
import pytest

from s3vae.app import choice
from s3vae.app.choice import choose_model
from s3vae.app.film import save
from s3vae.app.load import load


def test_a_video_of_a_face_gets_a_model_of_faces(carphone: Path) -> None:
    pytest.importorskip("dlib")
    assert choose_model([carphone], "cpu").preparation.crop == "face"


def test_drawn_faces_get_the_model_of_drawn_faces(tmp_path: Path) -> None:
    pytest.importorskip("dlib")
    frames = load("faces", "cpu").generate(1, 15)[0]
    save(frames, tmp_path / "drawn.mp4")
    assert choose_model([tmp_path / "drawn.mp4"], "cpu").preparation.dataset == "faces"


def test_another_crop_than_the_face_needs_no_model_of_faces(
    carphone: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    assert choose_model([carphone], "cpu", crop="centre").preparation.crop != "face"
    assert "(--crop centre; " in caplog.text


def test_among_others_the_smallest_error_decides(
    videos: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("dlib")
    caplog.set_level("INFO")
    model = choose_model(videos, "cpu")
    names = [name for name in choice.zoo_names() if not choice._is_of_faces(name)]
    errors = [max(choice._error(load(name, "cpu"), each) for each in videos) for name in names]
    best = names[int(np.argmin(errors))]
    assert f"model: {best} (no face in {videos[0]}; " in caplog.text
    assert model.preparation.dataset == best


def test_without_dlib_nothing_is_a_face(carphone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "find_spec", lambda name: None)
    assert choose_model([carphone], "cpu").preparation.crop != "face"
