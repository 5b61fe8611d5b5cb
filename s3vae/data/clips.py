"""The clip format: labelled video clips in one HDF5 file (docs/data.md)."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, SupportsIndex, get_args

import h5py
import numpy as np
from jaxtyping import Float, Float32, Int64, Integer, UInt8
from numpy import ndarray

from s3vae.data.rules import FORMAT, VERSION, check, open_clips
from s3vae.data.rules import ClipFormatError as ClipFormatError
from s3vae.files import replacing

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


@dataclass(frozen=True)
class Factor:
    """A property that varies between clips: constant within a clip (static) or a kind of motion."""

    name: str
    kind: Literal["static", "dynamic"]
    values: tuple[str, ...]


@dataclass(frozen=True)
class ClipSet:
    """A data set before it is written. `frames`, the only large part, is read clip by clip.

    `shape` is (clips, time, height, width, channels); `sha256`, if known, is the checksum of the
    bytes of all frames in order. `motion` holds the mean magnitude, x and y displacement in pixels
    per frame of each grid cell and pair of frames (s3vae/grid.py).
    """

    name: str
    source: str
    licence: str
    parameters: Mapping[str, Any]
    shape: tuple[int, int, int, int, int]
    frames: Iterable[UInt8[ndarray, "time height width channel"]]
    factors: tuple[Factor, ...]
    labels: Mapping[str, Integer[ndarray, " clip"]]
    identity: Integer[ndarray, " clip"]
    split: Integer[ndarray, " clip"]
    motion: Float[ndarray, "clip pair rows columns 3"] | None = None
    landmarks: Float[ndarray, "clip time 68 2"] | None = None
    sha256: str | None = None


def write_clips(
    path: Path, clips: ClipSet, advance: Callable[[int], object] = lambda count: None
) -> None:
    """Write `path`, byte-identical each time; `advance` is called after every clip.

    Raises ClipFormatError if the set breaks a rule of the format, and ValueError if the frames do
    not fit `shape` or `sha256`; then `path` is unchanged.
    """
    if {factor.name for factor in clips.factors} != set(clips.labels):
        raise ClipFormatError(path, f"each factor must have labels, and {set(clips.labels)} have")
    with replacing(path) as aside, h5py.File(aside, "w") as file:
        frames = _write_all_but_frames(file, clips)
        check(path, file)
        sha256 = _write_frames(frames, clips, advance)
        if clips.sha256 not in (None, sha256):
            raise ValueError(
                f"{path}: all frames of {clips.name} should have sha256 {clips.sha256} but have "
                f"{sha256}. Delete its raw files and download them again; if that does not help, "
                "install the versions of numpy and pillow in constraints.txt."
            )
        file.attrs["sha256"] = sha256


def _write_all_but_frames(file: h5py.File, clips: ClipSet) -> h5py.Dataset:
    """Write the attributes and small arrays in fixed order; return the empty `frames`."""
    file.attrs.update(format=FORMAT, version=VERSION, name=clips.name, source=clips.source)
    file.attrs.update(licence=clips.licence, sha256="0" * 64)
    file.attrs["parameters"] = json.dumps(dict(clips.parameters), sort_keys=True)
    gzipped = {"chunks": (1, *clips.shape[1:]), "compression": "gzip", "compression_opts": 1}
    frames = file.create_dataset("frames", clips.shape, np.uint8, track_times=False, **gzipped)
    _write_array(file, "identity", clips.identity, np.int32)
    _write_array(file, "split", clips.split, np.uint8)
    group = file.create_group("factors", track_order=True)
    for factor in clips.factors:
        labels = _write_array(group, factor.name, clips.labels[factor.name], np.int16)
        labels.attrs.update(kind=factor.kind, values=json.dumps(factor.values))
    for name, array in (("motion", clips.motion), ("landmarks", clips.landmarks)):
        if array is not None:
            _write_array(file, name, array, np.float32)
    return frames


def _write_array(group: h5py.Group, name: str, array: ndarray, dtype: type) -> h5py.Dataset:
    return group.create_dataset(name, data=array.astype(dtype), track_times=False)


def _write_frames(frames: h5py.Dataset, clips: ClipSet, advance: Callable[[int], object]) -> str:
    """Stream the clips into `frames` and return the sha256 of all their bytes."""
    digest, (count, *shape) = hashlib.sha256(), clips.shape
    written = 0
    for clip in clips.frames:
        if clip.dtype != np.uint8 or list(clip.shape) != shape or written == count:
            break
        frames[written] = clip
        digest.update(np.ascontiguousarray(clip).data)
        written += 1
        advance(1)
    else:
        if written == count:
            return digest.hexdigest()
    raise ValueError(
        f"{clips.name} must yield {count} clips of uint8 {tuple(shape)}, as its `shape` says; "
        f"clip {written} is missing, superfluous or of another shape or type."
    )


class ClipFile:
    """A read-only file of clips. Opening it raises ClipFormatError, which names a broken rule.

    It can be pickled and used in worker processes, each of which opens a handle of its own.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: tuple[int, h5py.File] | None = None
        file = self._file()
        self.name, self.sha256 = str(file.attrs["name"]), str(file.attrs["sha256"])
        self.source, self.licence = str(file.attrs["source"]), str(file.attrs["licence"])
        self.parameters: dict[str, Any] = json.loads(file.attrs["parameters"])
        self.shape: tuple[int, int, int, int, int] = file["frames"].shape
        self.clips, self.time, self.height, self.width, self.channels = self.shape
        self.identity: Int64[ndarray, " clip"] = file["identity"][:].astype(np.int64)
        self.factors = tuple(_factor(name, each) for name, each in file["factors"].items())
        self._labels: dict[str, Int64[ndarray, " clip"]] = {
            name: each[:].astype(np.int64) for name, each in file["factors"].items()
        }
        self._split: UInt8[ndarray, " clip"] = file["split"][:]

    def _file(self) -> h5py.File:
        """Return the handle of this process: HDF5 handles must not be shared across a fork."""
        if self._handle is None or self._handle[0] != os.getpid():
            self._handle = None  # closes an inherited handle, which HDF5 would otherwise reuse
            self._handle = os.getpid(), open_clips(self.path)
        return self._handle[1]

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_handle": None}

    @property
    def static_factors(self) -> tuple[Factor, ...]:
        return tuple(factor for factor in self.factors if factor.kind == "static")

    @property
    def dynamic_factors(self) -> tuple[Factor, ...]:
        return tuple(factor for factor in self.factors if factor.kind == "dynamic")

    def labels(self, name: str) -> Int64[ndarray, " clip"]:
        """Return the index of each clip's label in the `values` of a factor."""
        return self._labels[name]

    def split(self, name: Split) -> Int64[ndarray, " clips"]:
        """Return the indices of the clips of a split, ascending."""
        return np.nonzero(self._split == SPLITS.index(name))[0]

    def frames(
        self, indices: Iterable[SupportsIndex]
    ) -> UInt8[ndarray, "chosen time height width channel"]:
        """Read clips in the order of `indices`; h5py's fancy indexing is 100 times slower."""
        chosen = [int(index) for index in indices]
        out = np.empty((len(chosen), *self.shape[1:]), np.uint8)
        source = self._file()["frames"]
        for row, index in enumerate(chosen):
            out[row] = source[index]
        return out

    @property
    def motion(self) -> Float32[ndarray, "clip pair rows columns 3"] | None:
        """The exact mean magnitude, x and y (pixels per frame) of each grid cell, if known."""
        return self._optional("motion")

    @property
    def landmarks(self) -> Float32[ndarray, "clip time 68 2"] | None:
        """The exact (x, y) of the 68 facial landmarks in pixels, if known."""
        return self._optional("landmarks")

    def _optional(self, name: str) -> ndarray | None:
        array = self._file().get(name)
        return None if array is None else np.asarray(array[:])


def _factor(name: str, labels: h5py.Dataset) -> Factor:
    return Factor(name, labels.attrs["kind"], tuple(json.loads(labels.attrs["values"])))
