"""The face signal of a clip: how far lids and lips are apart, from 68 landmarks a frame."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32
from numpy import ndarray

POINTS = 68
DISTANCES = ("left lids", "right lids", "lips")
OUTER_EYES = (36, 45)
GAPS = (((37, 41), (38, 40)), ((43, 47), (44, 46)), ((61, 67), (62, 66), (63, 65)))
"""Per distance the pairs of landmarks (upper, lower; order of iBUG's 300-W) that it is a mean of.

Left and right are those of the picture.
"""


class Landmarks(NamedTuple):
    """The landmarks of some clips: (x, y) in pixels, and in which frames a face was found.

    Where none was found, the points mean nothing (they are 0).
    """

    points: Float32[ndarray, "clip time 68 2"]
    found: Bool[ndarray, "clip time"]


def distances(points: Float[ndarray, "*frames 68 2"]) -> Float32[ndarray, "*frames 3"]:
    """The gaps between the lids of both eyes and between the lips (section 3.3 of the paper).

    In units of the distance between the outer corners of the eyes, so that neither scale nor the
    distance of the camera matters.
    """
    unit = _length(points[..., OUTER_EYES[0], :] - points[..., OUTER_EYES[1], :])
    gaps = [
        np.mean([_length(points[..., a, :] - points[..., b, :]) for a, b in pairs], axis=0)
        for pairs in GAPS
    ]
    shares: ndarray = np.stack(gaps, axis=-1) / np.maximum(unit, 1e-6)[..., None]
    return shares.astype(np.float32)


def bridged(
    landmarks: Landmarks, longest: int
) -> tuple[Float32[ndarray, "clip time 68 2"], Bool[ndarray, " clip"]]:
    """Landmarks of every frame, and which clips have them.

    In a gap of at most `longest` frames each point goes straight from where it was to where it is
    next; before the first frame with a face and after the last one it stays. A clip with a longer
    gap has none.
    """
    points = landmarks.points.copy()
    whole = without_gaps(landmarks.found, longest)
    for clip in np.flatnonzero(whole & ~landmarks.found.all(axis=1)):
        found = landmarks.found[clip].nonzero()[0]
        for value in np.ndindex(points.shape[2:]):
            known = points[clip, found, *value]
            points[clip, :, *value] = np.interp(np.arange(points.shape[1]), found, known)
    points[~whole] = 0
    return points, whole


def without_gaps(found: Bool[ndarray, "clip time"], longest: int) -> Bool[ndarray, " clip"]:
    """Which clips have a face in every frame, but for gaps of at most so many frames."""
    return np.array([longest_gap(clip) <= longest for clip in found], dtype=bool)


def longest_gap(found: Bool[ndarray, " time"]) -> int:
    """The most frames in a row without a face; of a clip without any, more than there are."""
    if not found.any():
        return len(found) + 1
    edges = np.flatnonzero(np.diff(np.concatenate([[True], found, [True]]).astype(np.int8)))
    return int(max(edges[1::2] - edges[::2], default=0))


def _length(vectors: Float[ndarray, "*any 2"]) -> Float[ndarray, "*any"]:
    return np.asarray(np.linalg.norm(vectors, axis=-1))
