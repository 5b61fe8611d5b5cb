"""Settings of the landmark signal, and dlib as the back end that detects landmarks."""

import importlib.util
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import cv2
import numpy as np
from jaxtyping import Bool, UInt8
from numpy import ndarray
from pydantic import Field, PositiveInt
from pydantic.dataclasses import dataclass

from s3vae.progress import LOG
from s3vae.settings import STRICT
from s3vae.signals.landmarks import POINTS, Landmarks, complete_clips

Frames = UInt8[ndarray, "time height width channel"]
RGB = UInt8[ndarray, "time height width 3"]
DLIB_MODEL = "shape_predictor_68_face_landmarks.dat"


@dataclass(frozen=True, config=STRICT)
class FromClips:
    """The exact landmarks stored in the clip file."""

    kind: Literal["annotated"] = "annotated"


@dataclass(frozen=True, config=STRICT)
class Dlib:
    """dlib's face detector and regression trees, an optional dependency.

    Frames are first enlarged by the factor `enlarge`: the detector needs faces of 80 pixels.
    """

    kind: Literal["dlib"] = "dlib"
    enlarge: PositiveInt = 2


@dataclass(frozen=True, config=STRICT)
class FaceAlignment:
    """2DFAN4 of the package face-alignment, in batches of `batch` faces.

    With the `detector` sfd faces are detected first; with whole each frame is taken as a face.
    """

    kind: Literal["face-alignment"] = "face-alignment"
    detector: Literal["sfd", "whole"] = "sfd"
    batch: PositiveInt = 16


Backend = Annotated[FromClips | Dlib | FaceAlignment, Field(discriminator="kind")]


@dataclass(frozen=True, config=STRICT)
class LandmarkSettings:
    """The back end, and how many faces may be missing."""

    backend: Backend = Field(default_factory=FromClips)
    longest_gap: Annotated[int, Field(ge=0)] = 3
    """The most consecutive frames without a face; clips with a longer gap are dropped."""
    most_lost: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """The largest share of clips that may be dropped."""


class TooFewFacesError(RuntimeError):
    """More clips are dropped than the settings allow."""


def require_faces(
    clips: Path, found: Bool[ndarray, "clip time"], settings: LandmarkSettings
) -> None:
    """Raise TooFewFacesError, with the counts, if too many clips have to be dropped."""
    count = len(found)
    lost = int((~complete_clips(found, settings.longest_gap)).sum())
    rule = f"no face in more than {settings.longest_gap} frames in a row"
    if lost:
        LOG.warning("landmarks: %d of %d clips are dropped: %s", lost, count, rule)
    if lost > settings.most_lost * count:
        raise TooFewFacesError(
            f"{clips}: {lost} of {count} clips have {rule}, more than most_lost "
            f"({settings.most_lost:.0%}) allows; {found.mean():.1%} of all frames have a face. "
            "Enlarge the frames if they are too small for the back end, or widen the crops"
        )


Detector = Callable[[Frames], Landmarks]
"""Detects the landmarks of the largest face in every frame of one clip, in pixels; the centre of a
pixel has integer coordinates."""


def clips_landmarks(
    frames: UInt8[ndarray, "clip time height width channel"], detect: Detector
) -> Landmarks:
    """Detect the landmarks of every clip."""
    each = [detect(clip) for clip in frames]
    points, found = (np.concatenate(part) for part in zip(*each, strict=True))
    return Landmarks(points, found)


class DlibDetector:
    """Histograms of oriented gradients detect the face, regression trees its landmarks.

    Raises ImportError, which names the packages to install, if dlib or its model is missing.
    """

    def __init__(self, enlarge: int) -> None:
        self.enlarge = enlarge
        self.local = threading.local()  # dlib's detector is not safe to share between threads
        self._models()

    def __call__(self, frames: Frames) -> Landmarks:
        """Return the landmarks of one clip."""
        detect, predict = self._models()
        points, found = no_landmarks(len(frames))
        for time, frame in enumerate(as_rgb(frames)):
            size = (frame.shape[1] * self.enlarge, frame.shape[0] * self.enlarge)
            large = cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC)
            faces = detect(large, 0)
            if faces:
                shape = predict(large, max(faces, key=lambda face: face.area()))
                corners = [(part.x, part.y) for part in shape.parts()]
                points[0, time] = (np.array(corners) + 0.5) / self.enlarge - 0.5
                found[0, time] = True
        return Landmarks(points, found)

    def _models(self) -> tuple[Any, Any]:
        """Return this thread's detector and predictor, loaded at the first call."""
        if not hasattr(self.local, "models"):
            path = dlib_model()
            import dlib

            self.local.models = dlib.get_frontal_face_detector(), dlib.shape_predictor(str(path))
        models: tuple[Any, Any] = self.local.models
        return models


def dlib_model() -> Path:
    """Return the path of dlib's landmark model in the package that contains it."""
    package = importlib.util.find_spec("face_recognition_models")
    if package is None or package.origin is None or importlib.util.find_spec("dlib") is None:
        raise ImportError(
            "the landmark back end `dlib` needs dlib and its model: pip install 's3vae[dlib]', or "
            "set `backend: {kind: face-alignment}` in the data set's `landmarks` section"
        )
    return Path(package.origin).parent / "models" / DLIB_MODEL


def as_rgb(frames: Frames) -> RGB:
    """Repeat grey frames over three channels."""
    return np.ascontiguousarray(np.broadcast_to(frames, (*frames.shape[:-1], 3)))


def no_landmarks(time: int) -> tuple[ndarray, ndarray]:
    """Return points and the found mask of a clip without faces."""
    return np.zeros((1, time, POINTS, 2), np.float32), np.zeros((1, time), bool)
