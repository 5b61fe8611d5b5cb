"""Landmark back ends on a real clip of a talking face and on drawn faces."""

import importlib.util
import time
from pathlib import Path

import numpy as np
import pytest

from s3vae.data.faces.expressions import APEX
from s3vae.data.faces.faces import traits
from s3vae.data.faces.geometry import Pose
from s3vae.data.faces.portraits import Light, draw
from s3vae.data.media import frames_of
from s3vae.signals.detectors import Dlib, DlibDetector, FaceAlignment
from s3vae.signals.face_alignment_detector import FaceAlignmentDetector
from s3vae.signals.landmarks import distances, fill_gaps

FRAMES_PER_SECOND = 30


def test_dlib_tracks_a_talking_face_in_real_time(carphone: Path) -> None:
    frames = np.stack(list(frames_of(carphone)))
    detect = DlibDetector(Dlib().enlarge)
    begun = time.process_time()
    found = detect(frames)
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


def test_face_alignment_processes_a_batch_like_single_frames(face_weights: Path) -> None:
    import torch

    before = torch.hub.get_dir()
    detect = FaceAlignmentDetector(FaceAlignment(detector="whole", batch=2), face_weights, "cpu")
    assert torch.hub.get_dir() == before
    batches = []

    def record(crops: torch.Tensor) -> torch.Tensor:
        batches.append(crops)
        maps = torch.zeros(len(crops), 68, 64, 64)
        maps[:, :, 32, 32] = 1  # every landmark in the middle of the crop
        return maps

    detect.network.face_alignment_net = record
    frames = two_faces()
    found = detect(frames)
    assert found.found.all()
    assert found.points.shape == (1, 2, 68, 2)
    assert np.abs(found.points - 32).max() < 8  # near the middle of each frame
    batch, flipped = batches
    assert batch.shape == flipped.shape == (2, 3, 256, 256)
    detect(frames[1:])
    torch.testing.assert_close(batches[2][0], batch[1])


def test_face_alignment_uses_the_largest_face_of_its_own_detector(face_weights: Path) -> None:
    """With random weights only the number of boxes is known."""
    detect = FaceAlignmentDetector(FaceAlignment(detector="sfd"), face_weights, "cpu")
    boxes = detect._faces(two_faces())
    assert len(boxes) == 2
    detect.network.face_detector.detect_from_image = lambda frame: [
        np.array([2, 3, 9, 9, 0.9]),
        np.array([10, 8, 50, 58, 0.6]),
    ]
    assert detect._faces(two_faces()) == [(10, 8, 50, 58)] * 2  # the largest
    detect.network.face_detector.detect_from_image = lambda frame: []
    assert not detect(two_faces()).found.any()
