"""Crops of frames: the whole frame, its centre, or the face in it."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

Crop = Literal["none", "centre", "face"]
Frame = UInt8[ndarray, "height width 3"]
MARGIN = 1.35
"""Width of a crop over that of the detected face, which lacks brows and chin."""
FRAMES_TO_DETECT_IN = 3
"""Frames of each clip in which a face is detected."""
DETECTION_SIZE = 480
"""Longer side (pixels) of the frames given to the detector, which misses small faces."""


class Box(NamedTuple):
    """Left, top, width and height of a part of a frame, in pixels."""

    left: int
    top: int
    width: int
    height: int


def crop_boxes(frames: Iterable[Frame], windows: Sequence[range], crop: Crop) -> list[Box | None]:
    """Choose one box for each clip, whose window is the range of its frame indices.

    With `crop: face`, this is the box of median size among those detected in a few frames of the
    clip, or None if there is no face. One box for a whole clip does not tremble.
    """
    positions = [np.linspace(0, len(w) - 1, FRAMES_TO_DETECT_IN).round() for w in windows]
    clip_of = {w[int(k)]: clip for clip, w in enumerate(windows) for k in positions[clip]}
    faces: list[list[Box]] = [[] for _ in windows]
    for index, frame in enumerate(frames):
        if crop != "face":
            return [centre(frame) if crop == "centre" else whole(frame)] * len(windows)
        if index in clip_of and (face := detect_face(frame)) is not None:
            faces[clip_of[index]].append(face)
    by_size = [sorted(boxes, key=lambda box: box.width) for boxes in faces]
    return [boxes[len(boxes) // 2] if boxes else None for boxes in by_size]


def whole(frame: Frame) -> Box:
    """Return the box of a whole frame."""
    height, width = frame.shape[:2]
    return Box(0, 0, width, height)


def centre(frame: Frame) -> Box:
    """Return the largest square in the middle of a frame."""
    height, width = frame.shape[:2]
    return _square(width / 2, height / 2, min(height, width), frame)


def detect_face(frame: Frame) -> Box | None:
    """Return a square around the largest face, detected by dlib's histograms of gradients.

    Raises ImportError, with the remedy, if dlib is not installed.
    """
    height, width = frame.shape[:2]
    scale = DETECTION_SIZE / max(height, width)
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    faces = _detector()(cv2.resize(frame, None, fx=scale, fy=scale, interpolation=interpolation), 0)
    if not faces:
        return None
    face = max(faces, key=lambda each: each.area())
    side = min(MARGIN * face.width() / scale, height, width)
    middle = face.center()
    return _square(middle.x / scale, middle.y / scale, round(side), frame)


def crop_to(frame: Frame, box: Box, size: int) -> UInt8[ndarray, "size size 3"]:
    """Cut a box out of a frame and resize it to a square of `size` pixels."""
    part = frame[box.top : box.top + box.height, box.left : box.left + box.width]
    shrinks = min(part.shape[:2]) >= size
    resized: ndarray = cv2.resize(
        part, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    )
    return resized


def _square(x: float, y: float, side: int, frame: Frame) -> Box:
    """Return a square around a point, moved to lie within the frame."""
    height, width = frame.shape[:2]
    left = min(max(round(x - side / 2), 0), width - side)
    top = min(max(round(y - side / 2), 0), height - side)
    return Box(left, top, side, side)


@cache
def _detector() -> Any:
    try:
        import dlib
    except ImportError:
        raise ImportError(
            "`crop: face` needs dlib: pip install 's3vae[dlib]', or set `crop: centre`"
        ) from None
    return dlib.get_frontal_face_detector()
