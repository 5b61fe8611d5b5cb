"""The written form of landmark signals: an HDF5 file, for a whole data set or for a shard of it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64
from numpy import ndarray

from s3vae.signals.landmarks import POINTS, Landmarks, bridged, distances
from s3vae.signals.signal_file import SignalFile, write_signal

KIND = "landmarks"
DTYPES = {"points": np.float32, "found": np.bool_, "whole": np.bool_, "distances": np.float32}
"""Data set names and types, in the order they are written."""


def write_landmarks(
    path: Path, shards: Iterable[Landmarks], parameters: Mapping[str, Any], clips_sha256: str
) -> None:
    """Writes the shards, in the order given, as one file.

    Gaps of at most `longest_gap` (of the parameters) frames are bridged; longer ones are not, and
    their clips not `whole`.
    """
    points, found = (np.concatenate(each) for each in zip(*shards, strict=True))
    points, whole = bridged(Landmarks(points, found), parameters["longest_gap"])
    arrays = {
        "points": points,
        "found": found,
        "whole": whole,
        "distances": distances(points),
    }
    write_signal(path, KIND, arrays, parameters, clips_sha256)


class LandmarkSignal(SignalFile):
    """A landmark signal file (9 kB a clip).

    `points`: (x, y) of the 68 landmarks in pixels, gaps bridged; `found`: in which frames a face
    was; `whole`: the clips that have landmarks in every frame; `distances`: signals/landmarks.py.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, KIND, lambda parameters: DTYPES)
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
            have = self._arrays[name].shape
            self._require(have == shape, f"{name} must be {shape} as points are, it is {have}")
        self._require(bool(np.isfinite(self.distances).all()), "distances must be finite")

    def scale(
        self, clips: Int64[ndarray, " some"]
    ) -> tuple[Float32[ndarray, " 3"], Float32[ndarray, " 3"]]:
        """The mean and the spread of each distance over the frames of some clips."""
        distances = self.distances[clips]
        return distances.mean(axis=(0, 1)), np.maximum(distances.std(axis=(0, 1)), 1e-6)

    def __len__(self) -> int:
        """The number of clips."""
        return len(self.points)
