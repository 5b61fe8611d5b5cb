"""The package face-alignment as a back end that detects landmarks."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from s3vae.signals.detectors import RGB, FaceAlignment, Frames, as_rgb, no_landmarks
from s3vae.signals.landmarks import Landmarks

Box = tuple[float, float, float, float]
"""Left, top, right and bottom of a face, in pixels."""


class FaceAlignmentDetector:
    """A network that regresses heat maps of all landmarks within the box of a face.

    `weights` is the folder with the files of both networks.
    """

    def __init__(self, backend: FaceAlignment, weights: Path, device: str) -> None:
        from face_alignment import FaceAlignment as Network  # slow to import
        from face_alignment import LandmarksType

        self.whole_frames = backend.detector == "whole"
        with _torch_hub_in(weights):
            self.network = Network(
                LandmarksType.TWO_D,
                device=device,
                face_detector="folder" if self.whole_frames else backend.detector,
                compile=False,
                max_batch_size=backend.batch,
            )
        self.lock = threading.Lock()

    def __call__(self, frames: Frames) -> Landmarks:
        """Return the landmarks of one clip."""
        rgb = as_rgb(frames)
        points, found = no_landmarks(len(frames))
        with self.lock:  # torch is parallel itself
            boxes = {time: box for time, box in enumerate(self._faces(rgb)) if box is not None}
            if boxes:
                times = list(boxes)
                points[0, times] = self._in_boxes(rgb[times], list(boxes.values()))
                found[0, times] = True
        return Landmarks(points, found)

    def _faces(self, frames: RGB) -> list[Box | None]:
        """Return the box of the largest face in each frame, or None."""
        if self.whole_frames:
            height, width = frames.shape[1:3]
            return [(0.0, 0.0, float(width), float(height))] * len(frames)
        detections = (self.network.face_detector.detect_from_image(frame) for frame in frames)
        return [
            max(
                ((float(a), float(b), float(c), float(d)) for a, b, c, d, *_ in faces),
                key=lambda box: (box[2] - box[0]) * (box[3] - box[1]),
                default=None,
            )
            for faces in detections
        ]

    def _in_boxes(self, frames: RGB, boxes: list[Box]) -> Float32[ndarray, "time 68 2"]:
        """Return the landmarks within one box per frame.

        The package batches the faces of one picture, so all frames are placed in one. Each has a
        black border of its own size, as the border of a single picture is black.
        """
        count, height, width, _ = frames.shape
        sheet = np.zeros((count, 3 * height, 3 * width, 3), np.uint8)
        sheet[:, height : 2 * height, width : 2 * width] = frames
        corners = [np.array([width, (3 * index + 1) * height]) for index in range(count)]
        shifted = [np.array(box) + np.tile(at, 2) for box, at in zip(boxes, corners, strict=True)]
        detected = self.network.get_landmarks_from_image(
            sheet.reshape(-1, *sheet.shape[2:]), detected_faces=[box.tolist() for box in shifted]
        )
        points: ndarray = np.stack(detected) - np.stack(corners)[:, None]
        return points.astype(np.float32)


@contextmanager
def _torch_hub_in(folder: Path) -> Iterator[None]:
    """Use this folder as torch's hub: files that are in it are not downloaded."""
    import torch

    before = torch.hub.get_dir()
    torch.hub.set_dir(str(folder))
    try:
        yield
    finally:
        torch.hub.set_dir(before)
