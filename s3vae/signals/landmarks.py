"""The face signal of a clip: openings of the lids and the lips, from 68 landmarks per frame."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32
from numpy import ndarray

POINTS = 68
DISTANCES = ("left lids", "right lids", "lips")
OUTER_EYES = (36, 45)
GAPS = (((37, 41), (38, 40)), ((43, 47), (44, 46)), ((61, 67), (62, 66), (63, 65)))
"""The pairs of landmarks (upper, lower; in the order of iBUG's 300-W) that each distance averages.

Left and right are those of the picture.
"""


class Landmarks(NamedTuple):
    """The landmarks of some clips: (x, y) in pixels, and a mask of the frames with a face.

    In frames without a face the points are 0.
    """

    points: Float32[ndarray, "clip time 68 2"]
    found: Bool[ndarray, "clip time"]


def distances(points: Float[ndarray, "*frames 68 2"]) -> Float32[ndarray, "*frames 3"]:
    """Return the distances between the lids of both eyes and the lips (section 3.3 of the paper).

    They are relative to the distance between the outer corners of the eyes, hence independent of
    scale and of the distance to the camera.
    """
    unit = _length(points[..., OUTER_EYES[0], :] - points[..., OUTER_EYES[1], :])
    gaps = [
        np.mean([_length(points[..., a, :] - points[..., b, :]) for a, b in pairs], axis=0)
        for pairs in GAPS
    ]
    shares: ndarray = np.stack(gaps, axis=-1) / np.maximum(unit, 1e-6)[..., None]
    return shares.astype(np.float32)


def fill_gaps(
    landmarks: Landmarks, longest: int
) -> tuple[Float32[ndarray, "clip time 68 2"], Bool[ndarray, " clip"]]:
    """Interpolate the landmarks of frames without a face; return them and the complete clips.

    Gaps of at most `longest` frames are filled linearly, at both ends of a clip with the nearest
    landmarks. Clips with a longer gap are not complete; their points are 0.
    """
    points = landmarks.points.copy()
    complete = complete_clips(landmarks.found, longest)
    for clip in np.flatnonzero(complete & ~landmarks.found.all(axis=1)):
        found = landmarks.found[clip].nonzero()[0]
        for value in np.ndindex(points.shape[2:]):
            known = points[clip, found, *value]
            points[clip, :, *value] = np.interp(np.arange(points.shape[1]), found, known)
    points[~complete] = 0
    return points, complete


def complete_clips(found: Bool[ndarray, "clip time"], longest: int) -> Bool[ndarray, " clip"]:
    """Return a mask of the clips whose gaps are at most `longest` frames long."""
    return np.array([longest_gap(clip) <= longest for clip in found], dtype=bool)


def longest_gap(found: Bool[ndarray, " time"]) -> int:
    """Count the most consecutive frames without a face; one more than all if none has a face."""
    if not found.any():
        return len(found) + 1
    edges = np.flatnonzero(np.diff(np.concatenate([[True], found, [True]]).astype(np.int8)))
    return int(max(edges[1::2] - edges[::2], default=0))


def _length(vectors: Float[ndarray, "*any 2"]) -> Float[ndarray, "*any"]:
    return np.asarray(np.linalg.norm(vectors, axis=-1))
