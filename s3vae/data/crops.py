"""What part of a frame a clip shows: all of it, its centre, or the face in it."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

Crop = Literal["none", "centre", "face"]
Frame = UInt8[ndarray, "height width 3"]
WIDER = 1.35
"""How much wider than what the detector frames a crop is: brows and chin are part of a face."""
LOOKED_AT = 3
"""In how many frames of a clip a face is looked for."""
DETECTED_AT = 480
"""The longer side (pixels) of a frame that faces are looked for in: fewer miss small ones."""


class Box(NamedTuple):
    """Left, top, width and height of a part of a frame, in pixels."""

    left: int
    top: int
    width: int
    height: int


def boxes_of(frames: Iterable[Frame], windows: Sequence[range], crop: Crop) -> list[Box | None]:
    """For each clip, given by its frame numbers, what it shows; None if it is to show a face.

    A face's box is one for the whole clip, so that it does not tremble: of those found in a few
    frames that of median size.
    """
    looked = [set(np.linspace(0, len(w) - 1, LOOKED_AT).round().astype(int)) for w in windows]
    wanted = {w[k]: number for number, w in enumerate(windows) for k in looked[number]}
    found: list[list[Box]] = [[] for _ in windows]
    for number, frame in enumerate(frames):
        if crop != "face":
            return [centre(frame) if crop == "centre" else whole(frame)] * len(windows)
        if number in wanted and (face := face_in(frame)) is not None:
            found[wanted[number]].append(face)
    return [_median(each) for each in found]


def whole(frame: Frame) -> Box:
    """All of a frame."""
    height, width = frame.shape[:2]
    return Box(0, 0, width, height)


def centre(frame: Frame) -> Box:
    """The largest square in the middle of a frame."""
    height, width = frame.shape[:2]
    return _square(width / 2, height / 2, min(height, width), width, height)


def face_in(frame: Frame) -> Box | None:
    """A square about the largest face of a frame, by dlib's histograms of gradients.

    Raises ImportError, with the mend, if dlib is not installed.
    """
    height, width = frame.shape[:2]
    scale = DETECTED_AT / max(height, width)
    sharp = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    seen = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=sharp)
    faces = _detector()(seen, 0)
    if not faces:
        return None
    face = max(faces, key=lambda each: each.area())
    side = min(WIDER * face.width() / scale, height, width)
    middle = face.center()
    return _square(middle.x / scale, middle.y / scale, round(side), width, height)


def cropped(frame: Frame, box: Box, size: int) -> UInt8[ndarray, "size size 3"]:
    """That part of the frame, as a square of `size` pixels."""
    part = frame[box.top : box.top + box.height, box.left : box.left + box.width]
    shrunk = min(part.shape[:2]) >= size
    resized: ndarray = cv2.resize(
        part, (size, size), interpolation=cv2.INTER_AREA if shrunk else cv2.INTER_CUBIC
    )
    return resized


def _square(x: float, y: float, side: int, width: int, height: int) -> Box:
    """A square about a point, moved so that it lies within the frame."""
    left = min(max(round(x - side / 2), 0), width - side)
    top = min(max(round(y - side / 2), 0), height - side)
    return Box(left, top, side, side)


def _median(boxes: list[Box]) -> Box | None:
    """The box of median size."""
    return sorted(boxes, key=lambda box: box.width)[len(boxes) // 2] if boxes else None


@cache
def _detector() -> Any:
    try:
        import dlib
    except ImportError:
        raise ImportError(
            "`crop: face` needs dlib: pip install 's3vae[dlib]', or set `crop: centre`"
        ) from None
    return dlib.get_frontal_face_detector()
