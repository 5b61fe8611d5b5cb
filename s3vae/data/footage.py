"""Footage: videos, cut into clips of one length and size."""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from pydantic import Field
from pydantic.dataclasses import dataclass

from s3vae.data.crops import SIZE, Box, Crop, Size, crop_boxes, crop_to
from s3vae.data.media import announced_frames, frame_times, frames_of
from s3vae.data.rates import frames_at, mixed_rates, rate_of, uneven_rate
from s3vae.processes import in_processes
from s3vae.progress import LOG, Progress
from s3vae.settings import STRICT

NAMED = 10
"""Unused files that a message names."""
LEAST_DECODED, UNREPORTED = 0.9, 0.98
"""The shares of the frames that a video file announces that must be readable, and of which the lack
is not worth a message: the duration of a file gives their number only approximately."""


def named(each: Sequence[object]) -> str:
    """Return a list of the first few, and the number of the others."""
    more = [f"and {len(each) - NAMED} more"] if len(each) > NAMED else []
    return "".join(f"\n  - {line}" for line in (*each[:NAMED], *more))


class TooManyUnreadableError(ValueError):
    """More footage without clips than the settings allow."""

    def __init__(self, label: str, count: int, unusable: Sequence[str], limit: float) -> None:
        super().__init__(
            f"{len(unusable)} of {count} videos of {label} give no clip, more than "
            f"most_unreadable ({limit:.0%}): {named(unusable)}\n"
            "Repair, lengthen or remove them, or raise most_unreadable in the `data` section."
        )


@dataclass(frozen=True, config=STRICT)
class Cut:
    """The cut of a video into consecutive clips from its start."""

    time: Annotated[int, Field(ge=2)] = 15
    """Frames of a clip."""
    stride: Annotated[int, Field(ge=1)] | None = 2
    """Distance between the frames of a clip, less if a video is too short for one clip; null: the
    largest distance, which spreads one clip over the whole video."""
    clips_per_video: Annotated[int, Field(ge=1)] | None = None
    """Maximum; null: no limit."""

    def windows(self, frames: int) -> list[range]:
        """Return the frame indices of each clip of a video; none if it is shorter than a clip."""
        widest = (frames - 1) // (self.time - 1)
        stride = min(self.stride or widest, widest)
        if stride < 1:
            return []
        reach = stride * (self.time - 1)
        starts = range(0, frames - reach, stride * self.time)[: self.clips_per_video]
        return [range(start, start + reach + 1, stride) for start in starts]


class Footage(NamedTuple):
    """A video, with the frame indices and the crop of each of its clips."""

    path: Path
    windows: tuple[Sequence[int], ...]
    boxes: tuple[Box, ...]
    rate: float = math.nan
    """Its frames per second; NaN for pictures."""
    faceless: int = 0
    """Clips that are left out because no face was detected."""
    fault: str = ""
    """What is wrong with its frames or their times, though it can be used."""
    used: Sequence[int] = ()
    """The indices of all frames that clips may show, in order of time."""

    def begun_within(self, clip: int) -> list[tuple[Sequence[int], Box]]:
        """Return all windows that begin within a clip, each with the crop of the nearer clip.

        They end within the clip that follows at once or, after the last clip, within the video.
        """
        window = self.windows[clip]
        first, second, last = np.searchsorted(self.used, [window[0], window[1], window[-1]])
        reach, stride = int(last - first), int(second - first)
        stop = int(last) + stride
        if clip + 1 == len(self.windows):
            stop = min(stop, len(self.used) - reach)
        elif int(np.searchsorted(self.used, self.windows[clip + 1][0])) != stop:
            return []  # a clip without a face was between them
        nearer = self.boxes[clip : clip + 2]
        return [
            (
                self.used[start : start + reach + 1 : stride],
                nearer[0 if 2 * (start - first) <= reach else -1],
            )
            for start in range(int(first) + 1, stop)
        ]


def scan_footage(
    label: str,
    paths: Sequence[Path],
    cut: Cut,
    crop: Crop,
    most_unreadable: float,
    size: Size = SIZE,
    fps: float | None = None,
) -> list[Footage]:
    """Find the clips of each video, at a rate if it is stated, cropped to the aspect of `size`.

    Videos without clips are logged with the reason and left out. Raises TooManyUnreadableError if
    they exceed a share of `most_unreadable`, which allows one unless it is 0, or are all.
    """
    usable, unusable = [], []
    count = len(paths)
    scans = in_processes(_scan, paths, [cut] * count, [crop] * count, [size] * count, [fps] * count)
    with Progress(f"scan {label}", count, "videos") as progress:
        for path, scan in zip(paths, scans, strict=True):
            if not isinstance(scan, Footage):
                name = str(path).encode(errors="backslashreplace").decode()  # for logs in UTF-8
                unusable.append(f"{name}: {scan}")
                LOG.warning("%s is left out: %s", name, scan)
            else:
                usable.append(scan)
                if scan.faceless:
                    clips = scan.faceless + len(scan.windows)
                    LOG.warning("%s: no face in %d of its %d clips", path, scan.faceless, clips)
                if scan.fault:
                    LOG.warning("%s: %s", path, scan.fault)
            progress.advance()
    allowed = max(1, most_unreadable * count) if most_unreadable else 0
    if len(unusable) > allowed or not usable:
        raise TooManyUnreadableError(label, count, unusable, most_unreadable)
    if fps is None and (mixed := mixed_rates([each.rate for each in usable])):
        LOG.warning("%s: %s", label, mixed)
    return usable


def read_clips(
    footage: Sequence[Footage], size: Size = SIZE
) -> Iterator[UInt8[ndarray, "time height width 3"]]:
    """Read all clips, video by video; they may overlap.

    Raises ValueError if a video has lost frames.
    """
    for video in footage:
        clips: deque[tuple[Sequence[int], Box, list[ndarray]]] = deque(
            (window, box, []) for window, box in zip(video.windows, video.boxes, strict=True)
        )
        for index, frame in enumerate(frames_of(video.path)):
            cropped: dict[Box, ndarray] = {}
            for window, box, frames in clips:
                if window[0] > index:
                    break
                if index in window:
                    if box not in cropped:
                        cropped[box] = crop_to(frame, box, size)
                    frames.append(cropped[box])
            # windows start and end in the same order, so the first is complete first
            if clips[0][0][-1] == index:
                yield np.stack(clips.popleft()[2])
                if not clips:
                    break
        else:
            raise ValueError(f"{video.path} has lost frames since it was scanned: run again")


def _scan(path: Path, cut: Cut, crop: Crop, size: Size, fps: float | None) -> Footage | str:
    """Find the clips of a video, or return the reason why there is none."""
    try:
        times = frame_times(path)
        frames = len(times)
        announced, exact = announced_frames(path)
        damage = (
            f"only {frames} of {'its' if exact else 'about'} {announced} frames can be decoded: "
            "convert it again"
        )
        if exact and frames < LEAST_DECODED * announced:
            return damage
        used = range(frames) if fps is None or path.is_dir() else frames_at(fps, times)
        windows = [used[each.start : each.stop : each.step] for each in cut.windows(len(used))]
        if not windows:
            return f"it has {len(used)} readable frames, but a clip needs {cut.time}"
        boxes = crop_boxes(frames_of(path), windows, crop, size)
    except (OSError, ValueError, cv2.error) as error:
        return str(error)
    clips = [(window, box) for window, box in zip(windows, boxes, strict=True) if box is not None]
    if not clips:
        return "it shows no face"
    windows_with_face, boxes_with_face = zip(*clips, strict=True)
    faceless = len(windows) - len(clips)
    uneven = uneven_rate(times) if fps is None else ""
    fault = damage if frames < UNREPORTED * announced else uneven
    return Footage(path, windows_with_face, boxes_with_face, rate_of(times), faceless, fault, used)
