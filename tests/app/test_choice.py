"""The model that fits."""

from pathlib import Path

import numpy as np
import pytest

from s3vae.app import choice
from s3vae.app.choice import choose_model
from s3vae.app.load import load


def test_a_video_of_a_face_gets_a_model_of_faces(carphone: Path) -> None:
    pytest.importorskip("dlib")
    assert choose_model([carphone], "cpu").preparation.crop == "face"


def test_another_crop_than_the_face_needs_no_model_of_faces(carphone: Path) -> None:
    assert choose_model([carphone], "cpu", crop="centre").preparation.crop != "face"


def test_among_others_the_smallest_error_decides(
    videos: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    model = choose_model(videos, "cpu")
    names = [name for name in choice.zoo_names() if choice._crop(name) != "face"]
    errors = [max(choice._error(load(name, "cpu"), each) for each in videos) for name in names]
    best = names[int(np.argmin(errors))]
    assert f"model: {best} (no face in every video" in caplog.text
    assert model.preparation.dataset == best


def test_without_dlib_nothing_is_a_face(carphone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: object) -> None:
        raise ImportError

    monkeypatch.setattr(choice, "detect_face", missing)
    assert choose_model([carphone], "cpu").preparation.crop != "face"
