"""The HDF5 file of motion signals, for a data set or for a shard of it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from s3vae.signals.flow_grid import Motion
from s3vae.signals.signal_file import SignalFile, write_signal

DTYPES = {"cells": np.float32, "top": np.uint8, "direction": np.int8}
"""Data set names and types, in the order they are written."""
OBJECT_DTYPES = {"tracks": np.int16, "unexplained": np.float32}
"""Additional data sets of files with tracked objects."""


def write_flow(
    path: Path, shards: Iterable[Motion], parameters: Mapping[str, Any], clips_sha256: str
) -> None:
    """Write the shards, in the order given, to one file."""
    parts = list(shards)
    arrays = {
        name: np.concatenate([getattr(part, name) for part in parts]).astype(dtype, copy=False)
        for name, dtype in dtypes(parameters).items()
    }
    write_signal(path, FlowSignal.kind, arrays, parameters, clips_sha256)


def dtypes(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return names and types of the arrays in a file made with these parameters."""
    return DTYPES | (OBJECT_DTYPES if parameters.get("objects") else {})


class FlowSignal(SignalFile):
    """A flow signal file (1 or 2 kB per clip), read and validated."""

    kind = "flow"

    def __init__(self, path: Path) -> None:
        super().__init__(path, dtypes)
        self._require_agreement(*(self._arrays[name] for name in DTYPES))
        self.motion = Motion(**self._arrays)
        if self.motion.tracks is not None and self.motion.unexplained is not None:
            self._require_tracks(self.motion.cells, self.motion.tracks, self.motion.unexplained)

    def _require_agreement(self, cells: ndarray, top: ndarray, direction: ndarray) -> None:
        self._require(
            cells.ndim == 5 and cells.shape[-1] == 3,
            f"cells must be [clip, pair, rows, columns, 3], it is {cells.shape}",
        )
        self._require(
            top.ndim == 3 and top.shape[:2] == cells.shape[:2],
            f"top must be [clip, pair, k] for the {cells.shape[:2]} of cells, it is {top.shape}",
        )
        self._require(
            direction.shape == cells.shape[:-1],
            f"direction must be {cells.shape[:-1]} as cells are, it is {direction.shape}",
        )
        count = cells.shape[2] * cells.shape[3]
        self._require(bool((top < count).all()), f"top must name cells below {count}")
        self._require(bool(np.isfinite(cells).all()), "cells must be finite")

    def _require_tracks(self, cells: ndarray, tracks: ndarray, unexplained: ndarray) -> None:
        clips, pairs = cells.shape[:2]
        shape = (clips, pairs + 1, 2, 2)
        self._require(
            tracks.shape == shape,
            f"tracks must be {shape} (clip, frame, object, row and column), not {tracks.shape}",
        )
        self._require(unexplained.shape == (clips,), f"unexplained must be of {clips} clips")
