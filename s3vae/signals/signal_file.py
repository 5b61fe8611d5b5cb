"""The format shared by all signal files: an HDF5 header and arrays by name."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import h5py
import numpy as np
from numpy import ndarray

from s3vae.files import open_hdf5, replacing

FORMAT, VERSION = "s3vae-signals", 1


def write_signal(
    path: Path,
    kind: str,
    arrays: Mapping[str, ndarray],
    parameters: Mapping[str, Any],
    clips_sha256: str,
) -> None:
    """Write arrays in the order given; equal arrays give equal bytes.

    `parameters` are the settings they were made with, `clips_sha256` the checksum of their clips.
    """
    with replacing(path) as aside, h5py.File(aside, "w", track_order=False) as file:
        file.attrs["format"] = FORMAT
        file.attrs["version"] = VERSION
        file.attrs["kind"] = kind
        file.attrs["parameters"] = json.dumps(parameters, sort_keys=True)
        file.attrs["clips_sha256"] = clips_sha256
        for name, values in arrays.items():
            file.create_dataset(name, data=values, track_times=False)


class SignalFile:
    """A signal file of one kind, read into memory; `dtypes` maps its parameters to array types.

    Raises ValueError with the file and the violated rule if the file does not fit the format.
    """

    kind: ClassVar[str]
    """What its files say that they hold; they are called `<kind>.h5`."""

    def __init__(
        self, path: Path, dtypes: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    ) -> None:
        self.path = path
        with open_signal(path) as file:
            self._require_header(file)
            self.parameters: dict[str, Any] = json.loads(file.attrs["parameters"])
            self.clips_sha256 = str(file.attrs["clips_sha256"])
            self._arrays = {
                name: self._array(file, name, dtype)
                for name, dtype in dtypes(self.parameters).items()
            }

    def __len__(self) -> int:
        """Return the number of clips: every array has a row per clip."""
        return len(next(iter(self._arrays.values())))

    def require_clips(self, clips_sha256: str) -> None:
        """Raise ValueError unless the signals were made from the clip file of this sha256."""
        self._require(
            self.clips_sha256 == clips_sha256,
            f"was made from the clips of sha256 {self.clips_sha256}, not {clips_sha256}",
        )

    def _require_header(self, file: h5py.File) -> None:
        for name, expected in {"format": FORMAT, "version": VERSION, "kind": self.kind}.items():
            actual = file.attrs.get(name)
            self._require(
                bool(actual == expected), f"attribute {name} must be {expected!r}, it is {actual!r}"
            )
        for name in ("parameters", "clips_sha256"):
            self._require(name in file.attrs, f"attribute {name} must be there")

    def _array(self, file: h5py.File, name: str, dtype: type) -> Any:
        self._require(name in file, f"data set {name} must be there")
        values = file[name]
        expected = np.dtype(dtype)
        self._require(values.dtype == expected, f"{name} must be {expected}, it is {values.dtype}")
        return values[()]

    def _require(self, holds: bool, rule: str) -> None:
        if not holds:
            raise ValueError(f"{self.path}: {rule}. Make the signals again: dvc repro")


def open_signal(path: Path) -> h5py.File:
    """Open a signal file for reading. Raises FileInUseError, or ValueError for another format."""
    try:
        return open_hdf5(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ValueError(
            f"{path}: must be an HDF5 file ({error}). Make the signals again: dvc repro"
        ) from error
