"""A video as a model takes it: some of its frames, cropped and resized."""

import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float64, UInt8
from numpy import ndarray

from s3vae.data.crops import Box, Size, box_around, crop_boxes, crop_to
from s3vae.data.footage import UNREPORTED
from s3vae.data.media import PICTURES, announced_frames, frame_times, frames_of, picture
from s3vae.data.preparation import Preparation
from s3vae.data.rates import frames_at, rate_of
from s3vae.progress import LOG

Frame = UInt8[ndarray, "height width channel"]
Frames = UInt8[ndarray, "time height width channel"]
Source = str | Path | UInt8[ndarray, "_ _ _ _"]
"""A video file, a folder of pictures, one picture, or frames as bytes of 1 or 3 channels."""
PICTURES_PER_SECOND = 12.0
"""The rate of frames without times: arrays, folders of pictures, drawn clips."""
SHIFTS, SCALES = (0, -0.14, -0.07, 0.07, 0.14), (1, 0.83, 1.2)
"""The changes of the box of a single face that are tried, in parts of its size."""


@dataclass(frozen=True)
class Recording:
    """A video, and which part of it a model takes."""

    source: Path | Frames
    times: Float64[ndarray, " frame"]
    """The time of each frame in seconds, from 0."""
    taken: list[int]
    """The indices of the frames that the model takes, in order."""
    box: Box
    size: Size
    grey: bool

    def frames(self) -> Iterator[Frame]:
        """Read the frames that the model takes, cropped and resized."""
        taken = set(self.taken)
        for index, frame in enumerate(whole_frames(self.source)):
            if index in taken:
                cropped = crop_to(frame, self.box, self.size)
                yield cv2.cvtColor(cropped, cv2.COLOR_RGB2GRAY)[..., None] if self.grey else cropped

    def at_rate(self, rate: float | None, longer: float = 0.0) -> Float64[ndarray, " shown"]:
        """Return the times of frames at a rate, or those of the video and on at its mean rate.

        They cover the length of the video and `longer` seconds.
        """
        last = self.times[-1]
        if rate is not None:
            return np.arange(int((last + longer) * rate + 1e-6) + 1) / rate
        mean = frame_rate(self.times)
        return np.append(self.times, last + np.arange(1, int(longer * mean + 1e-6) + 1) / mean)


def open_recording(source: Source, made: Preparation, size: Size, *, grey: bool) -> Recording:
    """Find the frames of a video that a model takes, and the crop of all of them.

    Arrays of frames of the model's size are clips already: all of each frame is taken. Of other
    videos the model takes what `made` says. Raises FileNotFoundError, or ValueError for what cannot
    be read or shows no face where the model needs one.
    """
    if isinstance(source, ndarray):
        require_frames(source)
    else:
        source = Path(source)
        require_videos([source])
    times = times_of(source)
    if is_clip(source, size):
        return Recording(source, times, [*range(len(times))], Box(0, 0, *size[::-1]), size, grey)
    try:
        every: Sequence[int] = range(len(times))
        if made.fps is not None and len(times) > 1:
            every = frames_at(made.fps, times)
    except ValueError as error:
        raise ValueError(f"{shown_name(source)}: {error}") from error
    taken = [*every[:: made.stride or 1]]
    # in frames of the whole video, as for the clips of training
    (box,) = crop_boxes(whole_frames(source), [range(len(times))], made.crop, size)
    if box is None:
        raise ValueError(
            f"{shown_name(source)} shows no face: name another model, or --crop centre"
        )
    return Recording(source, times, taken, box, size, grey)


def is_clip(source: Source, size: Size) -> bool:
    """Return whether these are frames of a model's size, which are taken as they are."""
    return isinstance(source, ndarray) and source.shape[1:3] == size


def frame_rate(times: Float64[ndarray, " frame"]) -> float:
    """Return the mean number of frames per second, that of pictures if there are no times."""
    rate = rate_of(times)
    return PICTURES_PER_SECOND if math.isnan(rate) else rate


def with_best_box(recording: Recording, error: Callable[[Recording], float]) -> Recording:
    """Return a recording of one face whose box is moved or scaled to the least error.

    dlib's box of a single frame may lie off by a tenth of its size, which a model of faces takes
    for somebody else.
    """
    frame, box = next(whole_frames(recording.source)), recording.box
    read, tried = replace(recording, source=frame[None]), []
    for right, down, scale in product(SHIFTS, SHIFTS, SCALES):
        x, y = box.left + (0.5 + right) * box.width, box.top + (0.5 + down) * box.height
        moved = box_around(x, y, scale * min(box.width, box.height), frame, recording.size)
        tried.append(replace(read, box=moved))
    return replace(recording, box=min(tried, key=error).box)


def require_videos(paths: Iterable[Path]) -> None:
    """Raise FileNotFoundError or PermissionError for a path that cannot be opened."""
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist: name a video, or pictures")
        if not os.access(path, os.R_OK):
            raise PermissionError(f"{path} may not be read: change its permissions")


def require_frames(frames: ndarray) -> None:
    """Raise ValueError unless an array holds frames as bytes."""
    are_bytes = frames.dtype == np.uint8 and frames.ndim == 4 and frames.shape[-1] in (1, 3)
    if not are_bytes or 0 in frames.shape[1:]:
        raise ValueError(
            "frames must be uint8 [time, height, width, channel] with 1 or 3 channels, not "
            f"{frames.dtype} {list(frames.shape)}"
        )


def times_of(source: Path | Frames) -> Float64[ndarray, " frame"]:
    """Return the time of each frame in seconds, from 0. Raises ValueError if there is none."""
    if isinstance(source, ndarray):
        times = np.full(len(source), np.nan)
    elif source.suffix.lower() in PICTURES:
        times = np.zeros(1)
    else:
        try:
            times = frame_times(source)
        except ValueError as error:
            raise ValueError(f"{source}: {error}") from error
        announced, counted = announced_frames(source)
        if counted and len(times) < UNREPORTED * announced:
            LOG.warning("%s: only %d of its %d frames can be read", source, len(times), announced)
    if not len(times):
        remedy = ": name one video, or a folder of pictures" if _is_folder(source) else ""
        raise ValueError(f"{shown_name(source)} holds no frames{remedy}")
    if np.isnan(times).any():
        return np.arange(len(times)) / PICTURES_PER_SECOND
    passed: ndarray = times - times[0]
    return passed


def _is_folder(source: Path | Frames) -> bool:
    return isinstance(source, Path) and source.is_dir()


def whole_frames(source: Path | Frames) -> Iterator[UInt8[ndarray, "rows columns 3"]]:
    """Read all frames as RGB."""
    if isinstance(source, ndarray):
        return iter(np.repeat(source, 3, axis=-1) if source.shape[-1] == 1 else source)
    if source.suffix.lower() in PICTURES:
        return iter([picture(source)])
    return frames_of(source)


def shown_name(source: Path | Frames) -> str:
    """Return what a message calls a video."""
    return str(source) if isinstance(source, Path) else "the array"
