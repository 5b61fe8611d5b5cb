"""Validation of the clip format (docs/data.md)."""

import json
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from s3vae.files import open_hdf5

FORMAT, VERSION = "s3vae-clips", 1
TEXTS = ("name", "source", "licence", "sha256", "parameters")
SPLIT_COUNT = 4
LANDMARKS = 68


class ClipFormatError(ValueError):
    """A file that does not fit the clip format: the file, the broken rule and the remedy."""

    def __init__(self, path: Path, rule: str) -> None:
        super().__init__(
            f"{path} does not fit the clip format: {rule}. Correct the program that writes it, or "
            "delete it and run the stage `acquire` again (docs/data.md describes the format)."
        )


def open_clips(path: Path) -> h5py.File:
    """Open a file for reading and check every rule. Raises ClipFormatError or FileInUseError."""
    try:
        file = open_hdf5(path)
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} is missing: run the stage that builds it") from None
    except OSError as error:
        raise ClipFormatError(path, f"it must be a complete HDF5 file ({error})") from error
    try:
        check(path, file)
    except BaseException:
        file.close()
        raise
    return file


def check(path: Path, file: h5py.File) -> None:
    """Raise ClipFormatError for the first rule that `file` breaks; the error names `path`."""
    for rule in _broken(file):
        raise ClipFormatError(path, rule)


def _broken(file: h5py.File) -> Iterator[str]:
    """Yield every broken rule; each check assumes that the rules before it hold."""
    yield from _broken_by_header(file)
    yield from _broken_by_clips(file)
    for name, labels in file["factors"].items():
        yield from _broken_by_factor(name, labels, len(file["frames"]))
    yield from _broken_by_extras(file)


def _broken_by_header(file: h5py.File) -> Iterator[str]:
    if file.attrs.get("format") != FORMAT:
        yield f"the attribute 'format' must be {FORMAT!r}, not {file.attrs.get('format')!r}"
    if file.attrs.get("version") != VERSION:
        yield f"the attribute 'version' must be {VERSION}, not {file.attrs.get('version')}"
    for name in TEXTS:
        if not isinstance(file.attrs.get(name), str):
            yield f"the attribute {name!r} must exist and be text"
    if not isinstance(_parsed(file.attrs["parameters"]), dict):
        yield "the attribute 'parameters' must be a JSON object"


def _broken_by_clips(file: h5py.File) -> Iterator[str]:
    frames = file.get("frames")
    if not isinstance(frames, h5py.Dataset) or frames.dtype != np.uint8 or frames.ndim != 5:
        yield "'frames' must be uint8 [clip, time, height, width, channel]"
    elif 0 in frames.shape:
        yield f"'frames' must not be empty, but has shape {frames.shape}"
    elif frames.chunks != (1, *frames.shape[1:]):
        yield f"'frames' must have one clip per chunk, not {frames.chunks}"
    else:
        clips = len(frames)
        for name, dtype in (("identity", "int32"), ("split", "uint8")):
            if not _is_array(file.get(name), dtype, (clips,)):
                yield f"{name!r} must be {dtype} [{clips}], one per clip"
        yield from _broken_by_split(file["identity"][:], file["split"][:])
    if not isinstance(file.get("factors"), h5py.Group):
        yield "the group 'factors' must exist (it may be empty)"


def _broken_by_split(identity: np.ndarray, split: np.ndarray) -> Iterator[str]:
    if split.max() >= SPLIT_COUNT:
        yield f"'split' must be 0 (train), 1 (val), 2 (test) or 3 (judge), not {split.max()}"
    _, first, identities = np.unique(identity, return_index=True, return_inverse=True)
    astray = np.flatnonzero(split[first][identities] != split)
    if len(astray):
        yield f"an identity must be in one split only, but {identity[astray[0]]} is in two"


def _broken_by_factor(name: str, labels: object, clips: int) -> Iterator[str]:
    if not isinstance(labels, h5py.Dataset) or not _is_array(labels, "int16", (clips,)):
        yield f"'factors/{name}' must be int16 [{clips}], one per clip"
        return
    if labels.attrs.get("kind") not in ("static", "dynamic"):
        yield f"'factors/{name}' must have the attribute 'kind', \"static\" or \"dynamic\""
    values = _parsed(labels.attrs.get("values"))
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        yield f"'factors/{name}' must have the attribute 'values', a JSON list of text"
    elif len(set(values)) != len(values):
        yield f"the values of 'factors/{name}' must differ from each other"
    elif labels[:].min() < 0 or labels[:].max() >= len(values):
        yield f"the labels of 'factors/{name}' must lie in 0 .. {len(values) - 1}"


def _broken_by_extras(file: h5py.File) -> Iterator[str]:
    clips, time = file["frames"].shape[:2]
    motion, landmarks = file.get("motion"), file.get("landmarks")
    if motion is not None and not _is_array(motion, "float32", (clips, time - 1, None, None, 3)):
        yield f"'motion' must be float32 [{clips}, {time - 1}, rows, columns, 3]"
    if landmarks is not None and not _is_array(landmarks, "float32", (clips, time, LANDMARKS, 2)):
        yield f"'landmarks' must be float32 [{clips}, {time}, {LANDMARKS}, 2]"


def _is_array(item: object, dtype: str, shape: tuple[int | None, ...]) -> bool:
    """Check that an item is an array of a type and shape, where None allows any length."""
    return (
        isinstance(item, h5py.Dataset)
        and item.dtype == np.dtype(dtype)
        and item.ndim == len(shape)
        and all(want in (None, have) for want, have in zip(shape, item.shape, strict=True))
    )


def _parsed(text: object) -> object:
    """Parse JSON, or return None for anything else."""
    try:
        return json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return None
