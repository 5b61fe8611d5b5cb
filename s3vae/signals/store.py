"""The written form of motion signals: one HDF5 file, for a whole data set or for a shard of it."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy import ndarray

from s3vae.files import replacing
from s3vae.signals.motion import Motion

FORMAT, VERSION, KIND = "s3vae-signals", 1, "flow"
DTYPES = {"cells": np.float32, "top": np.uint8, "direction": np.int8}
"""Data set names and types, in the order they are written."""
OBJECT_DTYPES = {"tracks": np.int16, "unexplained": np.float32}
"""What a file also has where objects were followed."""


def write_flow(
    path: Path, shards: Iterable[Motion], parameters: Mapping[str, Any], clips_sha256: str
) -> None:
    """Writes the shards, in the order given, as one file: the same signals give the same bytes.

    `parameters` made the signals; `clips_sha256` is the sum of the clip file they were made from.
    """
    parts = list(shards)
    with replacing(path) as aside, h5py.File(aside, "w", track_order=False) as file:
        file.attrs["format"] = FORMAT
        file.attrs["version"] = VERSION
        file.attrs["kind"] = KIND
        file.attrs["parameters"] = json.dumps(parameters, sort_keys=True)
        file.attrs["clips_sha256"] = clips_sha256
        for name, dtype in dtypes(parameters).items():
            values = np.concatenate([getattr(part, name) for part in parts]).astype(
                dtype, copy=False
            )
            file.create_dataset(name, data=values, track_times=False)


def dtypes(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Names and types of what is in a file that was made with these parameters."""
    return DTYPES | (OBJECT_DTYPES if parameters.get("objects") else {})


class FlowSignal:
    """A flow signal file, read into memory (1 or 2 kB a clip) and checked.

    Raises ValueError with file, broken rule and mend when the file does not fit the format.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with _opened(path) as file:
            self._require_header(file)
            self.parameters: dict[str, Any] = json.loads(file.attrs["parameters"])
            self.clips_sha256 = str(file.attrs["clips_sha256"])
            asked = dtypes(self.parameters)
            arrays = {name: self._array(file, name, dtype) for name, dtype in asked.items()}
        self._require_agreement(*(arrays[name] for name in DTYPES))
        if "tracks" in asked:
            self._require_tracks(arrays["cells"], arrays["tracks"], arrays["unexplained"])
        self.motion = Motion(**arrays)

    def __len__(self) -> int:
        """The number of clips."""
        return len(self.motion.cells)

    def require_clips(self, clips_sha256: str) -> None:
        """Raises ValueError unless the signals were made from the clip file of this sha256."""
        self._require(
            self.clips_sha256 == clips_sha256,
            f"was made from the clips of sha256 {self.clips_sha256}, not {clips_sha256}",
        )

    def _require_header(self, file: h5py.File) -> None:
        for name, wanted in {"format": FORMAT, "version": VERSION, "kind": KIND}.items():
            found = file.attrs.get(name)
            self._require(
                bool(found == wanted), f"attribute {name} must be {wanted!r}, it is {found!r}"
            )
        for name in ("parameters", "clips_sha256"):
            self._require(name in file.attrs, f"attribute {name} must be there")

    def _array(self, file: h5py.File, name: str, dtype: type) -> Any:
        self._require(name in file, f"data set {name} must be there")
        values = file[name]
        wanted = np.dtype(dtype)
        self._require(values.dtype == wanted, f"{name} must be {wanted}, it is {values.dtype}")
        return values[()]

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

    def _require(self, holds: bool, rule: str) -> None:
        if not holds:
            raise ValueError(f"{self.path}: {rule}. Make the signals again: dvc repro")


def _opened(path: Path) -> h5py.File:
    try:
        return h5py.File(path, "r")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ValueError(
            f"{path}: must be an HDF5 file ({error}). Make the signals again: dvc repro"
        ) from error
