"""Scores of estimated signals: their agreement with exact ones, and what could be estimated."""

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray

from s3vae.signals.flow_grid import Motion
from s3vae.signals.landmark_file import LandmarkSignal
from s3vae.signals.landmarks import DISTANCES, distances

TOLERANCE = 0.05
"""A cell counts as strongest if its exact magnitude is within this share of the greatest."""


def flow_scores(
    motion: Motion, exact: Float[ndarray, "clip pair rows columns 3"] | None, explained: float
) -> dict[str, float | None]:
    """Score the strongest cells against exact motion, where a data set has it.

    With tracked objects, add the share of clips whose residual is at most `explained`.
    """
    accuracy = None if exact is None else top_cell_accuracy(motion.cells, exact)
    scores = {"top_cell_accuracy": accuracy}
    if motion.unexplained is not None:
        scores["clips_explained_by_tracks"] = float((motion.unexplained <= explained).mean())
    return scores


def top_cell_accuracy(
    estimated: Float[ndarray, "*pairs rows columns 3"],
    exact: Float[ndarray, "*pairs rows columns 3"],
) -> float | None:
    """Return the share of frame pairs whose strongest estimated cell is the exact strongest one.

    Pairs in which no cell moves are left out. None if no pair is left.
    """
    cells = exact.shape[-3] * exact.shape[-2]
    top = estimated[..., 0].reshape(-1, cells).argmax(axis=-1)
    magnitude = exact[..., 0].reshape(len(top), cells)
    strongest = magnitude.max(axis=-1)
    right = magnitude[np.arange(len(top)), top] >= (1 - TOLERANCE) * strongest
    moving = strongest > 0
    return float(right[moving].mean()) if moving.any() else None


def landmark_scores(
    signal: LandmarkSignal, exact: Float32[ndarray, "clip time 68 2"] | None
) -> dict[str, float]:
    """Return the shares of frames with a face and of dropped clips.

    With exact landmarks, add the mean errors of landmarks (pixels) and distances in complete clips.
    """
    complete = signal.whole
    scores = {
        "frames_with_face": float(signal.found.mean()),
        "clips_lost": float(1 - complete.mean()),
    }
    if exact is not None and complete.any():
        errors = np.linalg.norm(signal.points[complete] - exact[complete], axis=-1)
        scores["landmark_error_pixels"] = float(errors.mean())
        off = np.abs(signal.distances[complete] - distances(exact[complete])).mean(axis=(0, 1))
        for name, error in zip(DISTANCES, off, strict=True):
            scores[f"error_of_{name.replace(' ', '_')}"] = float(error)
    return scores
