"""Decoded frames laid back into the frames that they were cropped from."""

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from s3vae.app.recording import Frame, Recording, whole_frames

BORDER = 0.15
"""The share of a crop's side over which it fades into the frame."""


def pasted(decoded: Iterable[Frame], recording: Recording) -> Iterator[Frame]:
    """Yield the frames of a video with a decoded frame in place of the crop of each."""
    box = recording.box
    weight = fading(box.height, box.width)[..., None]
    rows, columns = slice(box.top, box.top + box.height), slice(box.left, box.left + box.width)
    for frame, inner in zip(whole_frames(recording.source), decoded, strict=True):
        enlarged = cv2.resize(inner, (box.width, box.height), interpolation=cv2.INTER_CUBIC)
        enlarged = enlarged.reshape(box.height, box.width, -1)  # OpenCV drops a single channel
        result = frame.copy()
        part = result[rows, columns]
        result[rows, columns] = np.round(weight * enlarged + (1 - weight) * part).astype(np.uint8)
        yield result


def fading(height: int, width: int) -> Float32[ndarray, "height width"]:
    """Return weights that are 1 in the middle and fall to 0 towards the edges."""
    ramps = []
    for side in (height, width):
        distance = np.minimum(np.arange(side), np.arange(side)[::-1]) / (BORDER * side)
        ramps.append(np.clip(distance, 0, 1))
    weight: ndarray = np.outer(*ramps).astype(np.float32)
    return weight
