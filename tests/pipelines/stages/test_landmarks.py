"""The stage `landmarks`, on small clip files of drawn faces and of none."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipelines import landmark_finder, shards
from pipelines.paths import RAW
from pipelines.stages.landmark_backends import FAN
from pipelines.stages.landmarks import TooFewFacesError, landmarks, score
from pipelines.tools.follow_face import follow_face
from s3vae.data.clips import ClipFile, ClipSet, write_clips
from s3vae.data.download import DownloadError, RemoteFile
from s3vae.data.faces.expressions import EXPRESSIONS
from s3vae.data.faces.faces import filmed, scene, traits
from s3vae.data.faces.faces import landmarks as exact_landmarks
from s3vae.runtime import choose_device
from s3vae.signals.detectors import (
    Dlib,
    FaceAlignment,
    FaceAlignmentDetector,
    FromClips,
    LandmarkSettings,
)
from s3vae.signals.landmark_file import LandmarkSignal

TIME = 4
DLIB = LandmarkSettings(Dlib(enlarge=4))
Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Writes a clip file of this many faces, then of so many clips of noise."""
    monkeypatch.chdir(tmp_path)

    def make(faces: int, noise: int = 0, *, annotated: bool = True) -> Path:
        scenes = [scene(0, k, EXPRESSIONS[k % 6], TIME) for k in range(faces)]
        shown = [filmed(traits(0, k), each) for k, each in enumerate(scenes)]
        draw = np.random.default_rng(0)
        shown += [draw.integers(0, 255, shown[0].shape, np.uint8) for _ in range(noise)]
        exact = [exact_landmarks(traits(0, k), each) for k, each in enumerate(scenes)]
        exact += [np.zeros_like(exact[0])] * noise
        clips = ClipSet(
            name="toy",
            source="a test",
            licence="MIT",
            parameters={},
            shape=(faces + noise, *shown[0].shape),
            frames=shown,
            factors=(),
            labels={},
            identity=np.arange(faces + noise),
            split=np.zeros(faces + noise, np.uint8),
            landmarks=np.stack(exact) if annotated else None,
        )
        write_clips(tmp_path / "clips.h5", clips)
        return tmp_path / "clips.h5"

    return make


def test_annotated_landmarks_are_taken_as_they_are(make: Make, tmp_path: Path) -> None:
    clips, target = make(3), tmp_path / "landmarks.h5"
    landmarks("toy", clips, LandmarkSettings(), target)
    score(clips, target, tmp_path / "scores.json")
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["landmark_error_pixels"] == 0
    assert (scores["frames_with_face"], scores["clips_lost"]) == (1, 0)
    assert LandmarkSignal(target).distances[..., :2].min() > 0.01


def test_a_detector_is_scored_against_exact_landmarks(make: Make, tmp_path: Path) -> None:
    clips, target = make(6), tmp_path / "landmarks.h5"
    landmarks("toy", clips, DLIB, target)
    score(clips, target, tmp_path / "scores.json")
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert 0.2 < scores["landmark_error_pixels"] < 3
    assert 0 < scores["error_of_lips"] < 0.15


def test_clips_without_faces_are_dropped_and_counted(
    make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clips, target = make(3, noise=1), tmp_path / "landmarks.h5"
    landmarks("toy", clips, LandmarkSettings(Dlib(enlarge=4), most_lost=0.5), target)
    assert LandmarkSignal(target).whole.tolist() == [True] * 3 + [False]
    assert "1 of 4 clips are dropped" in caplog.text


def test_more_lost_clips_than_allowed_stop_the_stage_with_the_counts(
    make: Make, tmp_path: Path
) -> None:
    clips, target = make(2, noise=2), tmp_path / "landmarks.h5"
    with pytest.raises(TooFewFacesError, match=r"2 of 4 clips are lost, more than most_lost \(5%"):
        landmarks("toy", clips, DLIB, target)
    assert not target.exists()


def test_other_limits_ask_for_no_face_again(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips, target = make(2, noise=2), tmp_path / "landmarks.h5"
    with pytest.raises(TooFewFacesError):
        landmarks("toy", clips, DLIB, target)

    def asked(*_: object) -> object:
        raise AssertionError

    monkeypatch.setattr(landmark_finder, "clips_landmarks", asked)
    lenient = LandmarkSettings(Dlib(enlarge=4), longest_gap=1, most_lost=0.5)
    landmarks("toy", clips, lenient, target)
    signal = LandmarkSignal(target)
    assert signal.whole.tolist() == [True] * 2 + [False] * 2
    assert signal.parameters["longest_gap"] == 1
    assert not any((tmp_path / ".checkpoints" / "landmarks").iterdir())


def test_a_killed_run_goes_on_at_its_next_shard(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips, target = make(6), tmp_path / "landmarks.h5"
    landmarks("toy", clips, DLIB, tmp_path / "at once.h5")
    monkeypatch.setattr(shards, "CLIPS_PER_SHARD", 2)
    monkeypatch.setenv("S3VAE_WORKERS", "1")
    real, seen = landmark_finder.clips_landmarks, []

    def killed(frames: np.ndarray, find: object) -> object:
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(len(frames))
        return real(frames, find)

    monkeypatch.setattr(landmark_finder, "clips_landmarks", killed)
    with pytest.raises(KeyboardInterrupt):
        landmarks("toy", clips, DLIB, target)
    assert not target.exists()
    again: list[int] = []

    def counted(frames: np.ndarray, find: object) -> object:
        again.append(len(frames))
        return real(frames, find)

    monkeypatch.setattr(landmark_finder, "clips_landmarks", counted)
    landmarks("toy", clips, DLIB, target)
    assert again == [2]
    assert target.read_bytes() == (tmp_path / "at once.h5").read_bytes()


def test_a_file_without_landmarks_asks_for_a_detector(make: Make, tmp_path: Path) -> None:
    clips, settings = make(1, annotated=False), LandmarkSettings(FromClips())
    with pytest.raises(ValueError, match=r"brings no landmarks: set `backend: \{kind: dlib\}`"):
        landmarks("toy", clips, settings, tmp_path / "landmarks.h5")


def test_weights_that_cannot_be_had_are_named_with_their_sources(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("S3VAE_MIRROR", str(tmp_path / "empty"))
    monkeypatch.setattr(landmark_finder, "FAN", RemoteFile(FAN.path, FAN.checksum, ()))
    settings = LandmarkSettings(FaceAlignment(detector="whole"))
    with pytest.raises(DownloadError, match="2DFAN4-11f355bf06"):
        landmarks("toy", make(1), settings, tmp_path / "landmarks.h5")


def test_weights_with_another_sum_are_refused(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = tmp_path / "mirror" / FAN.path
    stored.parent.mkdir(parents=True)
    stored.write_bytes(b"not the weights")
    monkeypatch.setenv("S3VAE_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setattr(landmark_finder, "FAN", RemoteFile(FAN.path, FAN.checksum, ()))
    settings = LandmarkSettings(FaceAlignment(detector="whole"))
    with pytest.raises(DownloadError, match="should have sha256 11f355bf"):
        landmarks("toy", make(1), settings, tmp_path / "landmarks.h5")


def test_the_network_finds_with_the_weights_of_a_mirror(
    make: Make, tmp_path: Path, face_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = tmp_path / "mirror"
    (mirror / FAN.path).parent.mkdir(parents=True)
    shutil.copy(face_weights / "checkpoints" / Path(FAN.path).name, mirror / FAN.path)
    monkeypatch.setenv("S3VAE_MIRROR", str(mirror))
    stored = hashlib.sha256((mirror / FAN.path).read_bytes()).hexdigest()
    monkeypatch.setattr(landmark_finder, "FAN", RemoteFile(FAN.path, stored, ()))
    clips, target = make(1), tmp_path / "landmarks.h5"
    backend = FaceAlignment(detector="whole")
    landmarks("toy", clips, LandmarkSettings(backend), target)
    signal = LandmarkSignal(target)
    assert signal.found.all()
    find = FaceAlignmentDetector(backend, face_weights, choose_device().type)
    alone = find(ClipFile(clips).frames([0])[0])
    np.testing.assert_allclose(signal.points, alone.points, atol=1e-3)
    assert (tmp_path / RAW / FAN.path).is_file()


def test_the_picture_of_a_real_face_shows_what_was_found(tmp_path: Path, carphone: Path) -> None:
    assert follow_face(carphone, tmp_path / "face.png") >= 0.95
    assert (tmp_path / "face.png").read_bytes().startswith(b"\x89PNG")
