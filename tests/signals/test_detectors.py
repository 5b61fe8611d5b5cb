"""Landmark back ends on a real clip of a talking face and on drawn faces."""

import importlib.util
import time
from pathlib import Path

import numpy as np
import pytest

from s3vae.data.faces.expressions import APEX, EXPRESSIONS
from s3vae.data.faces.faces import landmarks, scene, traits
from s3vae.data.faces.geometry import Pose
from s3vae.data.faces.portraits import Light, draw
from s3vae.data.footage import frames_of
from s3vae.signals.detectors import Dlib, DlibDetector, FaceAlignment, clips_landmarks
from s3vae.signals.face_alignment_detector import FaceAlignmentDetector
from s3vae.signals.landmarks import distances, fill_gaps

FRAMES_PER_SECOND = 30


def test_dlib_tracks_a_talking_face_in_real_time(carphone: Path) -> None:
    frames = np.stack(list(frames_of(carphone)))
    find = DlibDetector(Dlib().enlarge)
    begun = time.process_time()
    found = find(frames)
    seconds = time.process_time() - begun
    assert found.found.shape == (1, 120)
    assert found.found.mean() >= 0.95
    assert len(frames) / seconds >= FRAMES_PER_SECOND
    points, complete = fill_gaps(found, longest=3)
    assert complete.all()
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


def test_no_face_is_detected_in_noise() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (2, 64, 64, 1), np.uint8)
    found = DlibDetector(enlarge=2)(noise)
    assert not found.found.any()
    assert not found.points.any()


def test_a_missing_package_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 's3vae\[dlib\]'"):
        DlibDetector(enlarge=1)


def two_faces() -> np.ndarray:
    person = traits(0, 0)
    looks = [draw(person, APEX["fear"], Pose(x=x), Light(0, 0, 1)) for x in (0, 2)]
    return np.rint(looks).clip(0, 255).astype(np.uint8)


def test_face_alignment_processes_a_batch_as_it_does_single_frames(
    face_weights: Path,
) -> None:
    import torch

    before = torch.hub.get_dir()
    find = FaceAlignmentDetector(FaceAlignment(detector="whole", batch=2), face_weights, "cpu")
    assert torch.hub.get_dir() == before
    batches = []

    def record(crops: torch.Tensor) -> torch.Tensor:
        batches.append(crops)
        maps = torch.zeros(len(crops), 68, 64, 64)
        maps[:, :, 32, 32] = 1  # every landmark in the middle of the crop
        return maps

    find.network.face_alignment_net = record
    frames = two_faces()
    found = find(frames)
    assert found.found.all()
    assert found.points.shape == (1, 2, 68, 2)
    assert np.abs(found.points - 32).max() < 8  # near the middle of each frame
    batch, flipped = batches
    assert batch.shape == flipped.shape == (2, 3, 256, 256)
    find(frames[1:])
    torch.testing.assert_close(batches[2][0], batch[1])


def test_face_alignment_uses_the_largest_face_of_its_own_detector(face_weights: Path) -> None:
    """With random weights only the number of boxes is known."""
    find = FaceAlignmentDetector(FaceAlignment(detector="sfd"), face_weights, "cpu")
    boxes = find._faces(two_faces())
    assert len(boxes) == 2
    find.network.face_detector.detect_from_image = lambda frame: [
        np.array([2, 3, 9, 9, 0.9]),
        np.array([10, 8, 50, 58, 0.6]),
    ]
    assert find._faces(two_faces()) == [(10, 8, 50, 58)] * 2  # the largest
    find.network.face_detector.detect_from_image = lambda frame: []
    assert not find(two_faces()).found.any()
