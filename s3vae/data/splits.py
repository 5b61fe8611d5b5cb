"""Splits of footage into train, validation and test: by name, or by time within each video."""

import hashlib
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Integer, UInt8
from numpy import ndarray

TRAIN, VAL, TEST = range(3)
"""The splits of a file of clips."""
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


def split_by_time(
    video: str,
    frames: UInt8[ndarray, "frame height width channel"],
    val: float,
    test: float,
    least: int,
) -> list[Span]:
    """Split the frames of a video into those of train, val and test, in this order.

    `val` and `test` are shares, and at least `least` frames each.
    """
    first_test = len(frames) - max(round(test * len(frames)), least)
    first_val = first_test - max(round(val * len(frames)), least)
    parts = slice(0, first_val), slice(first_val, first_test), slice(first_test, None)
    return [Span(video, split, frames[part]) for split, part in enumerate(parts)]


def split_clips_by_time(
    counts: Sequence[int], val: float, test: float
) -> Integer[ndarray, " clip"]:
    """Split the clips of several videos by time, given the number of each.

    The last clips of a video test, those before validate. `val` and `test` are shares of the clips
    of all videos that have one for each split; other videos train. Of short videos one tests and
    another validates, or neither, so that most train with most of their clips.
    """
    sizes = np.array([count if count >= len(LEAST) else 0 for count in counts])
    tested, validated = (max(round(share * sizes.sum()), 1) for share in (test, val))
    held = np.minimum(_spread(tested + validated, sizes), np.maximum(sizes - 1, 0))
    tests = _spread(round(held.sum() * tested / (tested + validated)), held)
    parts = zip(counts, held - tests, tests, strict=True)
    return np.concatenate(
        [np.repeat([TRAIN, VAL, TEST], [count - k - m, k, m]) for count, k, m in parts]
    )


def _spread(wanted: int, sizes: Integer[ndarray, " video"]) -> Integer[ndarray, " video"]:
    """Return for each video its part of the `wanted` clips, in proportion to its size."""
    so_far = np.floor(np.cumsum(sizes) * wanted / max(sizes.sum(), 1) + 0.5).astype(int)
    return np.diff(so_far, prepend=0)


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
