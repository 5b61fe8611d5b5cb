"""Random splits of footage into train, validation and test."""

import hashlib
from collections.abc import Collection

from jaxtyping import Integer
from numpy import ndarray

TRAIN, VAL, TEST = range(3)
LEAST = {"train": 2, "val": 1, "test": 1}
"""Training compares each clip of a batch with another one."""


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
