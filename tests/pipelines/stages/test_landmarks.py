"""The stage `landmarks` on small clip files of drawn faces and of noise."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipelines import shards
from pipelines.paths import RAW
from pipelines.stages import landmark_backends
from pipelines.stages.landmark_backends import FAN
from pipelines.stages.landmarks import landmarks, report
from s3vae.data.clips import ClipFile, ClipSet, write_clips
from s3vae.data.download import DownloadError, RemoteFile
from s3vae.data.faces.expressions import EXPRESSIONS
from s3vae.data.faces.faces import filmed, scene, traits
from s3vae.data.faces.faces import landmarks as exact_landmarks
from s3vae.files import checksum_of
from s3vae.runtime import choose_device
from s3vae.signals.detectors import Dlib, FaceAlignment, LandmarkSettings, TooFewFacesError
from s3vae.signals.face_alignment_detector import FaceAlignmentDetector
from s3vae.signals.landmark_file import LandmarkSignal
from s3vae.signals.landmarks import Landmarks

TIME = 3
DLIB = LandmarkSettings(Dlib(enlarge=4))
NETWORK = LandmarkSettings(FaceAlignment(detector="whole"))
Make = Callable[..., Path]


@pytest.fixture
def make(clip_set: Callable[..., ClipSet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Writes a clip file with this many faces, then so many clips of noise."""
    monkeypatch.chdir(tmp_path)

    def make(faces: int, noise: int = 0, *, annotated: bool = True, time: int = TIME) -> Path:
        scenes = [scene(0, k, EXPRESSIONS[k % 6], time) for k in range(faces)]
        clips = [filmed(traits(0, k), each) for k, each in enumerate(scenes)]
        generator = np.random.default_rng(0)
        clips += [generator.integers(0, 255, clips[0].shape, np.uint8) for _ in range(noise)]
        exact = [exact_landmarks(traits(0, k), each) for k, each in enumerate(scenes)]
        exact += [np.zeros_like(exact[0])] * noise
        points = np.stack(exact) if annotated else None
        write_clips(tmp_path / "clips.h5", clip_set(clips, landmarks=points))
        return tmp_path / "clips.h5"

    return make


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "landmarks.h5"


def scores_of(clips: Path, target: Path) -> dict[str, float]:
    """What the stage reports of its landmarks."""
    report(clips, target, target.parent)
    assert (target.parent / "landmarks.png").read_bytes().startswith(b"\x89PNG")
    scores: dict[str, float] = json.loads((target.parent / "landmarks.json").read_text())
    return scores


def test_annotated_landmarks_are_stored_unchanged(make: Make, target: Path) -> None:
    clips = make(3, time=4)
    landmarks("toy", clips, LandmarkSettings(), target)
    scores = scores_of(clips, target)
    assert scores["landmark_error_pixels"] == 0
    assert (scores["frames_with_face"], scores["clips_lost"]) == (1, 0)
    assert LandmarkSignal(target).distances[..., :2].min() > 0.01


def test_a_detector_is_scored_against_exact_landmarks(make: Make, target: Path) -> None:
    clips = make(4)
    landmarks("toy", clips, DLIB, target)
    scores = scores_of(clips, target)
    assert 0.2 < scores["landmark_error_pixels"] < 2
    assert 0 < scores["error_of_lips"] < 0.15


def test_clips_without_faces_are_dropped_and_counted(
    make: Make, target: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = LandmarkSettings(Dlib(enlarge=4), most_lost=0.5)
    landmarks("toy", make(1, noise=1), settings, target)
    assert LandmarkSignal(target).whole.tolist() == [True, False]
    assert "1 of 2 clips are dropped" in caplog.text


def test_too_many_dropped_clips_stop_the_stage_and_other_limits_detect_no_face_again(
    make: Make, tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = make(1, noise=1)
    with pytest.raises(TooFewFacesError, match=r"1 of 2 clips have no face.* most_lost \(5%\)"):
        landmarks("toy", clips, DLIB, target)
    assert not target.exists()
    monkeypatch.setattr(landmark_backends, "clips_landmarks", None)
    lenient = LandmarkSettings(Dlib(enlarge=4), longest_gap=1, most_lost=0.5)
    landmarks("toy", clips, lenient, target)
    signal = LandmarkSignal(target)
    assert signal.whole.tolist() == [True, False]
    assert signal.parameters["longest_gap"] == 1
    assert not any((tmp_path / ".checkpoints" / "landmarks").iterdir())


def test_an_interrupted_run_resumes_at_its_next_shard(
    make: Make, tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = make(3)
    landmarks("toy", clips, DLIB, tmp_path / "at once.h5")
    monkeypatch.setattr(shards, "CLIPS_PER_SHARD", 1)
    monkeypatch.setenv("S3VAE_WORKERS", "1")
    real, sizes = landmark_backends.clips_landmarks, []

    def interrupted_once(frames: np.ndarray, detect: object) -> object:
        sizes.append(len(frames))
        if len(sizes) == 3:
            raise KeyboardInterrupt
        return real(frames, detect)

    monkeypatch.setattr(landmark_backends, "clips_landmarks", interrupted_once)
    with pytest.raises(KeyboardInterrupt):
        landmarks("toy", clips, DLIB, target)
    assert not target.exists()
    landmarks("toy", clips, DLIB, target)
    assert sizes == [1, 1, 1, 1]
    assert target.read_bytes() == (tmp_path / "at once.h5").read_bytes()


def test_a_file_without_landmarks_needs_a_detector(make: Make, target: Path) -> None:
    with pytest.raises(ValueError, match=r"has no landmarks: set `backend: \{kind: dlib\}`"):
        landmarks("toy", make(1, annotated=False), LandmarkSettings(), target)


@pytest.mark.parametrize(
    ("stored", "message"),
    [(None, "2DFAN4-11f355bf06"), (b"not the weights", "should have sha256 11f355bf")],
)
def test_missing_and_wrong_weights_are_refused_by_name(
    stored: bytes | None, message: str, make: Make, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = target.parent / "mirror"
    if stored is not None:
        (mirror / FAN.path).parent.mkdir(parents=True)
        (mirror / FAN.path).write_bytes(stored)
    monkeypatch.setenv("S3VAE_MIRROR", str(mirror))
    monkeypatch.setattr(landmark_backends, "FAN", RemoteFile(FAN.path, FAN.checksum, ()))
    with pytest.raises(DownloadError, match=message):
        landmarks("toy", make(1), NETWORK, target)


@pytest.fixture
def in_mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Put a file into a mirror as the weights of the network."""

    def put(weights: Path) -> None:
        mirror = tmp_path / "mirror"
        (mirror / FAN.path).parent.mkdir(parents=True)
        shutil.copy(weights, mirror / FAN.path)
        monkeypatch.setenv("S3VAE_MIRROR", str(mirror))
        known = RemoteFile(FAN.path, checksum_of(weights), ())
        monkeypatch.setattr(landmark_backends, "FAN", known)

    return put


def test_the_detector_has_the_weights_of_a_mirror(
    make: Make,
    tmp_path: Path,
    target: Path,
    in_mirror: Callable[[Path], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def detector(_: FaceAlignment, folder: Path, __: str) -> Callable[[np.ndarray], Landmarks]:
        assert (folder / "checkpoints" / Path(FAN.path).name).read_text() == "weights"
        found = np.ones((1, TIME), bool)
        return lambda _: Landmarks(np.full((1, TIME, 68, 2), 7, np.float32), found)

    (tmp_path / "weights").write_text("weights")
    in_mirror(tmp_path / "weights")
    monkeypatch.setattr(landmark_backends, "FaceAlignmentDetector", detector)
    landmarks("toy", make(1), NETWORK, target)
    assert (LandmarkSignal(target).points == 7).all()


@pytest.mark.slow
def test_the_network_runs_with_the_weights_of_a_mirror(
    make: Make,
    tmp_path: Path,
    target: Path,
    face_weights: Path,
    in_mirror: Callable[[Path], None],
) -> None:
    in_mirror(face_weights / "checkpoints" / Path(FAN.path).name)
    clips = make(1, time=1)
    landmarks("toy", clips, NETWORK, target)
    signal = LandmarkSignal(target)
    assert signal.found.all()
    detect = FaceAlignmentDetector(NETWORK.backend, face_weights, choose_device().type)
    alone = detect(ClipFile(clips).frames([0])[0])
    np.testing.assert_allclose(signal.points, alone.points, atol=1e-3)
    assert (tmp_path / RAW / FAN.path).is_file()
