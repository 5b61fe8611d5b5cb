"""The HDF5 file of landmark signals, for a data set or for a shard of it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64
from numpy import ndarray

from s3vae.signals.landmarks import POINTS, Landmarks, distances, fill_gaps
from s3vae.signals.signal_file import SignalFile, write_signal

DTYPES = {"points": np.float32, "found": np.bool_, "whole": np.bool_, "distances": np.float32}
"""Data set names and types, in the order they are written."""


def write_landmarks(
    path: Path, shards: Iterable[Landmarks], parameters: Mapping[str, Any], clips_sha256: str
) -> None:
    """Write the shards, in the order given, to one file.

    Gaps of at most `parameters["longest_gap"]` frames are filled; clips with longer ones are not
    `whole`.
    """
    points, found = (np.concatenate(each) for each in zip(*shards, strict=True))
    points, complete = fill_gaps(Landmarks(points, found), parameters["longest_gap"])
    arrays = {"points": points, "found": found, "whole": complete, "distances": distances(points)}
    write_signal(path, LandmarkSignal.kind, arrays, parameters, clips_sha256)


class LandmarkSignal(SignalFile):
    """A landmark signal file (9 kB per clip), read and validated.

    `points`: (x, y) of the 68 landmarks in pixels, gaps filled; `found`: mask of the frames with a
    detected face; `whole`: mask of the clips with landmarks in every frame; `distances`: those of
    `s3vae.signals.landmarks.distances`.
    """

    kind = "landmarks"

    def __init__(self, path: Path) -> None:
        super().__init__(path, lambda parameters: DTYPES)
        self.points, self.found, self.whole, self.distances = (
            self._arrays[name] for name in DTYPES
        )
        self._require(
            self.points.ndim == 4 and self.points.shape[2:] == (POINTS, 2),
            f"points must be [clip, time, 68, 2], it is {self.points.shape}",
        )
        clips, time = self.points.shape[:2]
        for name, shape in (
            ("found", (clips, time)),
            ("whole", (clips,)),
            ("distances", (clips, time, 3)),
        ):
            actual = self._arrays[name].shape
            self._require(actual == shape, f"{name} must be {shape} as points are, it is {actual}")
        self._require(bool(np.isfinite(self.distances).all()), "distances must be finite")

    def scale(
        self, clips: Int64[ndarray, " some"]
    ) -> tuple[Float32[ndarray, " 3"], Float32[ndarray, " 3"]]:
        """Return mean and standard deviation of each distance over the frames of some clips."""
        distances = self.distances[clips]
        return distances.mean(axis=(0, 1)), np.maximum(distances.std(axis=(0, 1)), 1e-6)


def read_landmarks(path: Path) -> Landmarks:
    """Read the landmarks of a signal file."""
    signal = LandmarkSignal(path)
    return Landmarks(signal.points, signal.found)
