"""Footage: video files and folders of pictures, cut into clips of one length and size."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import cv2
import numpy as np
from jaxtyping import Integer, UInt8
from numpy import ndarray
from pydantic import Field
from pydantic.dataclasses import dataclass

from s3vae.data.crops import Box, Crop, boxes_of, cropped
from s3vae.processes import in_processes
from s3vae.progress import LOG, Progress
from s3vae.settings import STRICT

SIZE = 64
VIDEOS = {".mp4", ".m4v", ".avi", ".mov", ".mkv", ".webm", ".mpg", ".mpeg", ".gif"}
PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".webp"}
SHOWN = 10
"""How many unreadable files an error names."""


class TooManyUnreadableError(ValueError):
    """More footage gave no clip than the settings allow."""


@dataclass(frozen=True, config=STRICT)
class Cut:
    """How clips are cut out of a video, one after the other from its begin."""

    time: Annotated[int, Field(ge=2)] = 15
    """Frames of a clip."""
    stride: Annotated[int, Field(ge=1)] | None = 2
    """Every how many frames one is taken, fewer where a video is too short for one clip; null: as
    many as spread a clip over the whole video."""
    clips_per_video: Annotated[int, Field(ge=1)] | None = None
    """As many clips at most; null: as many as there are."""

    def windows(self, frames: int) -> list[range]:
        """Which frames of a video of so many each clip takes; none of one shorter than a clip."""
        widest = (frames - 1) // (self.time - 1)
        stride = min(self.stride or widest, widest)
        if stride < 1:
            return []
        reach = stride * (self.time - 1)
        starts = range(0, frames - reach, stride * self.time)[: self.clips_per_video]
        return [range(start, start + reach + 1, stride) for start in starts]


class Footage(NamedTuple):
    """A video that was looked through: which frames its clips take, and what part of them."""

    path: Path
    windows: tuple[range, ...]
    boxes: tuple[Box, ...]
    dropped: int = 0
    """How many clips of it show no face, and should."""


def footage_in(folder: Path) -> list[Path]:
    """The video files below a folder, and the folders of pictures, in order of path.

    Pictures beside videos are no video: thumbnails, say.
    """
    below = sorted(path for path in folder.rglob("*") if not _hidden(path.relative_to(folder)))
    pictures = {path.parent for path in below if path.suffix.lower() in PICTURES}
    videos = {path for path in below if path.suffix.lower() in VIDEOS and path.is_file()}
    return sorted(videos | (pictures - {path.parent for path in videos}))


def looked_through(
    label: str, paths: Sequence[Path], cut: Cut, crop: Crop, most_unreadable: float
) -> list[Footage]:
    """All footage that gives clips. What does not is logged with the reason, and left out.

    Raises TooManyUnreadableError if that is more than the share allowed, or everything.
    """
    found, unreadable = [], []
    count = len(paths)
    with Progress(f"look through {label}", count, "videos") as progress:
        for path, seen in zip(
            paths, in_processes(_look, paths, [cut] * count, [crop] * count), strict=True
        ):
            if isinstance(seen, Footage):
                found.append(seen)
                if seen.dropped:
                    clips = seen.dropped + len(seen.windows)
                    LOG.warning("%s: no face in %d of its %d clips", path, seen.dropped, clips)
            else:
                unreadable.append(f"{path}: {seen}")
                LOG.warning("%s is left out: %s", path, seen)
            progress.advance()
    if len(unreadable) > most_unreadable * count or not found:
        named = "".join(f"\n  - {each}" for each in unreadable[:SHOWN])
        more = f"\n  and {len(unreadable) - SHOWN} more" if len(unreadable) > SHOWN else ""
        raise TooManyUnreadableError(
            f"{len(unreadable)} of {count} videos of {label} give no clip, more than "
            f"most_unreadable ({most_unreadable:.0%}):{named}{more}\n"
            "Mend or remove them, or raise most_unreadable in the `data` section of params.yaml."
        )
    return found


def clips_of(footage: Footage) -> Iterator[UInt8[ndarray, "time height width 3"]]:
    """The clips of one video, which is read once."""
    windows = list(zip(footage.windows, footage.boxes, strict=True))
    taken: list[ndarray] = []
    for number, frame in enumerate(frames_of(footage.path)):
        window, box = windows[0]
        if number in window:
            taken.append(cropped(frame, box, SIZE))
        if number == window[-1]:
            yield np.stack(taken)
            taken, windows = [], windows[1:]
            if not windows:
                return
    raise ValueError(f"{footage.path} has fewer frames than when it was looked through: run again")


def frames_of(path: Path) -> Iterator[UInt8[ndarray, "height width 3"]]:
    """The frames of a video file, or the pictures of a folder by name; red, green, blue."""
    read = _pictures(path) if path.is_dir() else _video(path)
    for frame in read:
        yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)


def splits_of(names: Collection[str], val: float, test: float) -> dict[str, int]:
    """0 (train), 1 (val) or 2 (test), by name alone: more footage moves none to another split.

    But where there is so little that val or test would be empty: the names that come next are
    taken from train.
    """
    shares = {name: _share_of(name) for name in names}
    split = {
        name: 2 if share < test else 1 if share < test + val else 0
        for name, share in shares.items()
    }
    for wanted, asked in ((2, test), (1, val)):
        left = sorted((name for name in split if split[name] == 0), key=shares.__getitem__)
        if asked > 0 and wanted not in split.values() and len(left) > 1:
            split[left[0]] = wanted
    return split


def _share_of(name: str) -> float:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) / 2**64


def require_all_splits(place: str, split: Integer[ndarray, " clip"], mend: str) -> None:
    """Raise ValueError if there is nothing to train on, to validate with or to test with."""
    have = set(split.tolist())
    missing = [name for number, name in enumerate(("train", "val", "test")) if number not in have]
    if missing:
        raise ValueError(f"{place}: the split has no clip for {' and '.join(missing)}: {mend}")


def _look(path: Path, cut: Cut, crop: Crop) -> Footage | str:
    """The footage of a path, or why it gives no clip."""
    try:
        frames = sum(1 for _ in frames_of(path))
        windows = cut.windows(frames)
        if not windows:
            return f"it has {frames} frames that can be read, and a clip takes {cut.time}"
        boxes = boxes_of(frames_of(path), windows, crop)
    except (OSError, ValueError, cv2.error) as error:
        return str(error)
    kept = [(w, box) for w, box in zip(windows, boxes, strict=True) if box is not None]
    if not kept:
        return "no face was found in it"
    kept_windows, kept_boxes = zip(*kept, strict=True)
    return Footage(path, kept_windows, kept_boxes, len(windows) - len(kept))


def _video(path: Path) -> Iterator[ndarray]:
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        if not capture.isOpened():
            raise ValueError("it is no video that OpenCV can read")
        while (read := capture.read())[0]:
            yield read[1]
    finally:
        capture.release()


def _pictures(folder: Path) -> Iterator[ndarray]:
    """Raises ValueError for one that cannot be read or is of another size than the first."""
    size = None
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in PICTURES or path.name.startswith("."):
            continue
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if picture is None:
            raise ValueError(f"{path.name} is no picture that OpenCV can read")
        size = size or picture.shape
        if picture.shape != size:
            raise ValueError(f"{path.name} is of another size than the pictures before it")
        yield picture


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
