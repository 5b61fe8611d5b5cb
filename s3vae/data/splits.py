"""Splits of footage into train, validation and test: by name, or by time within each video."""

import hashlib
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Integer, UInt8
from numpy import ndarray

TRAIN, VAL, TEST, JUDGE = range(4)
"""The splits of a file of clips. From `JUDGE` the judge alone learns; no model sees it."""
LEAST = {"train": 2, "val": 1, "test": 1}
"""Training compares each clip of a batch with another one."""


class Span(NamedTuple):
    """Consecutive frames of one video that belong to one split."""

    video: str
    split: int
    frames: UInt8[ndarray, "frame height width channel"]

    def clips(
        self, time: int, step: int, *, mirrored: bool
    ) -> list[UInt8[ndarray, "time height width channel"]]:
        """Return the clips of `time` frames that start at every `step`-th frame.

        If `mirrored`, their mirror images follow. The clips are views of `frames`.
        """
        starts = range(0, len(self.frames) - time + 1, step)
        images = (self.frames, self.frames[:, :, ::-1])[: 1 + mirrored]
        return [frames[start : start + time] for frames in images for start in starts]


def parts_by_time(count: int, val: float, test: float, least: int) -> tuple[slice, slice, slice]:
    """Divide `count` frames or clips of a video into those of train, val and test, in this order.

    `val` and `test` are shares, and at least `least` each.
    """
    first_test = count - max(round(test * count), least)
    first_val = first_test - max(round(val * count), least)
    return slice(0, first_val), slice(first_val, first_test), slice(first_test, count)


def split_by_time(
    video: str,
    frames: UInt8[ndarray, "frame height width channel"],
    val: float,
    test: float,
    least: int,
) -> list[Span]:
    """Split the frames of a video by time: see parts_by_time."""
    parts = parts_by_time(len(frames), val, test, least)
    return [Span(video, split, frames[part]) for split, part in enumerate(parts)]


def split_clips_by_time(
    counts: Sequence[int], val: float, test: float
) -> Integer[ndarray, " clip"]:
    """Split the clips of several videos by time, given the number of each; few clips are train's.

    A video needs a clip for each split to be in all of them.
    """
    splits = [np.full(count, TRAIN) for count in counts]
    for split in splits:
        if len(split) >= len(LEAST):
            for k, part in enumerate(parts_by_time(len(split), val, test, least=1)):
                split[part] = k
    return np.concatenate(splits)


def split_by_name(names: Collection[str], val: float, test: float) -> dict[str, int]:
    """Assign each name to a split by its hash, so that more footage moves no name to another split.

    If val or test would be empty, it takes the next name of train.
    """
    shares = {name: _share_of(name) for name in names}
    split = {
        name: TEST if share < test else VAL if share < test + val else TRAIN
        for name, share in shares.items()
    }
    for target, size in ((TEST, test), (VAL, val)):
        train = sorted((name for name in split if split[name] == TRAIN), key=shares.__getitem__)
        if size > 0 and target not in split.values() and len(train) > 1:
            split[train[0]] = target
    return split


def _share_of(name: str) -> float:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) / 2**64


def require_all_splits(label: str, split: Integer[ndarray, " clip"], remedy: str) -> None:
    """Raise ValueError if there are too few clips for training, validation or testing."""
    counts = [int((split == k).sum()) for k in (TRAIN, VAL, TEST)]
    missing = [
        f"{count} of at least {least} clips for {name}"
        for count, (name, least) in zip(counts, LEAST.items(), strict=True)
        if count < least
    ]
    if missing:
        raise ValueError(f"{label}: the split has {' and '.join(missing)}: {remedy}")
