"""Crops of frames: the whole frame, its centre, or the face in it."""

import math
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Annotated, Any, NamedTuple

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from pydantic import BeforeValidator

from s3vae.settings import Crop as Crop
from s3vae.settings import Side

Size = Annotated[
    tuple[Side, Side],
    BeforeValidator(lambda size: (size, size) if isinstance(size, int) else size),
]
"""Height and width of a frame in pixels; in a config also one number for both."""
SIZE = (64, 64)
"""The size of frames unless a data set states another."""
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


def crop_boxes(
    frames: Iterable[Frame], windows: Sequence[Sequence[int]], crop: Crop, size: Size = SIZE
) -> list[Box | None]:
    """Choose one box for each clip, whose window is its frame indices.

    Boxes have the aspect of `size`, unless the whole frame is used.

    With `crop: face`, this is the box of median size among those detected in a few frames of the
    clip, or None if there is no face. One box for a whole clip does not tremble.
    """
    positions = [np.linspace(0, len(w) - 1, FRAMES_TO_DETECT_IN).round() for w in windows]
    clip_of = {w[int(k)]: clip for clip, w in enumerate(windows) for k in positions[clip]}
    faces: list[list[Box]] = [[] for _ in windows]
    for index, frame in enumerate(frames):
        if crop != "face":
            height, width = frame.shape[:2]
            box = centre(frame, size) if crop == "centre" else Box(0, 0, width, height)
            return [box] * len(windows)
        if index in clip_of and (face := detect_face(frame, size)) is not None:
            faces[clip_of[index]].append(face)
    by_size = [sorted(boxes, key=lambda box: box.width) for boxes in faces]
    return [boxes[len(boxes) // 2] if boxes else None for boxes in by_size]


def centre(frame: Frame, size: Size = SIZE) -> Box:
    """Return the largest box of the aspect of `size` in the middle of a frame."""
    height, width = frame.shape[:2]
    return box_around(width / 2, height / 2, math.inf, frame, size)


def detect_face(frame: Frame, size: Size = SIZE) -> Box | None:
    """Return a box around the largest face, detected by dlib's histograms of gradients.

    Raises ImportError, with the remedy, if dlib is not installed.
    """
    scale = DETECTION_SIZE / max(frame.shape[:2])
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    faces = _detector()(cv2.resize(frame, None, fx=scale, fy=scale, interpolation=interpolation), 0)
    if not faces:
        return None
    face = max(faces, key=lambda each: each.area())
    middle = face.center()
    return box_around(
        middle.x / scale, middle.y / scale, MARGIN * face.width() / scale, frame, size
    )


def crop_to(frame: Frame, box: Box, size: Size) -> UInt8[ndarray, "rows columns 3"]:
    """Cut a box out of a frame and resize it to `size`."""
    part = frame[box.top : box.top + box.height, box.left : box.left + box.width]
    shrinks = box.height >= size[0] and box.width >= size[1]
    return cv2.resize(
        part, size[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    )


def box_around(x: float, y: float, shorter: float, frame: Frame, size: Size) -> Box:
    """Return a box around a point, moved to lie within the frame.

    It has the aspect of `size`, and its shorter side is `shorter` or the longest that fits.
    """
    sides = frame.shape[:2]
    scale = min(shorter / min(size), sides[0] / size[0], sides[1] / size[1])
    height, width = (round(scale * side) for side in size)
    left = min(max(round(x - width / 2), 0), sides[1] - width)
    top = min(max(round(y - height / 2), 0), sides[0] - height)
    return Box(left, top, width, height)


@cache
def _detector() -> Any:
    try:
        import dlib
    except ImportError:
        raise ImportError(
            "finding faces needs dlib: pip install 's3vae[dlib]', or crop the centre "
            "(`crop: centre` in a config, `--crop centre` of a command)"
        ) from None
    return dlib.get_frontal_face_detector()
