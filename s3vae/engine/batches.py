"""Batches of clips, in an order that seed and step determine, so that a resume needs no state."""

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int, UInt8
from numpy import ndarray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, get_worker_info

from s3vae.data.clips import ClipFile
from s3vae.data.fresh import FreshClips
from s3vae.engine.schedule import TrainingSettings
from s3vae.tensors import RawVideo

CACHE_BYTES = 2 * 2**30
"""The largest size of a file's frames that is cached in memory; Sprites take 1.1 GB."""


class Batch(NamedTuple):
    """Clips and, by name, their annotations: labels, motion signals, tracks, motion clusters."""

    frames: RawVideo
    known: Mapping[str, Tensor]

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on a device."""
        return Batch(self.frames.to(device), {k: v.to(device) for k, v in self.known.items()})


class ClipBatches(Dataset[Batch]):
    """Batches of a clip file, with annotation tables that have a row per clip of the file.

    If all frames fit in `cache_bytes`, each clip is read once and cached in memory. Larger files
    are read at every access, and so are all files in reader processes, to avoid a cache in each.
    """

    def __init__(
        self, clips: ClipFile, known: Mapping[str, Tensor], cache_bytes: int = CACHE_BYTES
    ) -> None:
        self.clips, self.known = clips, known
        self.cache = CachedClips(clips) if math.prod(clips.shape) <= cache_bytes else None

    def __getitem__(self, indices: ndarray) -> Batch:
        """Return the clips at these indices, in the order of the indices."""
        in_reader = get_worker_info() is not None
        source = self.clips if self.cache is None or in_reader else self.cache
        frames = torch.from_numpy(source.frames(indices))
        rows = torch.from_numpy(indices)
        return Batch(frames, {name: table[rows] for name, table in self.known.items()})


class FreshBatches(Dataset[Batch]):
    """Batches of clips that are drawn at every access, annotated with their factors."""

    def __init__(self, fresh: FreshClips) -> None:
        self.fresh = fresh

    def __getitem__(self, indices: ndarray) -> Batch:
        """Return the clips at these indices of an endless sequence."""
        frames, factors = zip(*(self.fresh.clip(int(index)) for index in indices), strict=True)
        known = {name: torch.tensor([each[name] for each in factors]) for name in factors[0]}
        return Batch(torch.from_numpy(np.stack(frames)), known)


class CachedClips:
    """The clips of a file, each read at its first access. Pickling omits the cached frames."""

    def __init__(self, clips: ClipFile) -> None:
        self.clips = clips
        self.cached = np.zeros(clips.clips, dtype=bool)
        self.memory = np.empty(clips.shape, np.uint8)  # the system allocates pages when written

    def frames(
        self, indices: Int[ndarray, " chosen"]
    ) -> UInt8[ndarray, "chosen time height width channel"]:
        """Return the clips at these indices, in the order of the indices."""
        missing = indices[~self.cached[indices]]
        if len(missing):
            self.memory[missing] = self.clips.frames(missing)
            self.cached[missing] = True
        frames: ndarray = self.memory[indices]
        return frames

    def __reduce__(self) -> tuple[type["CachedClips"], tuple[ClipFile]]:
        return CachedClips, (self.clips,)


class ShuffledBatches:
    """Batches `first` to `steps` of clip indices; no clip occurs twice in an epoch.

    The last clips of an epoch are dropped if they do not fill a batch. Batches are not sorted:
    clips of one identity are neighbours in a file, and the triplet loss takes a clip's neighbour
    in the batch as its negative.
    """

    def __init__(
        self, indices: Int[ndarray, " clip"], size: int, seed: int, steps: int, first: int = 0
    ) -> None:
        if len(indices) < 1:
            msg = "there is no clip to train on: the split is empty, so provide more clips"
            raise ValueError(msg)
        self.indices, self.seed, self.steps, self.first = indices, seed, steps, first
        self.size = min(size, len(indices))
        self.per_epoch = len(indices) // self.size

    def __len__(self) -> int:
        return self.steps - self.first

    def __iter__(self) -> Iterator[Int[ndarray, " batch"]]:
        order, epoch_of_order = self.indices, -1
        for step in range(self.first, self.steps):
            epoch, position = divmod(step, self.per_epoch)
            if epoch != epoch_of_order:
                order = np.random.default_rng((self.seed, epoch)).permutation(self.indices)
                epoch_of_order = epoch
            yield order[position * self.size : (position + 1) * self.size]


def training_batches(
    batches: Dataset[Batch],
    indices: Int[ndarray, " clip"],
    settings: TrainingSettings,
    first: int,
    workers: int = 0,
) -> DataLoader[Batch]:
    """Return the batches of a training on these clips, from step `first` on.

    `workers` > 0 processes read them in advance.
    """
    order = ShuffledBatches(indices, settings.batch_size, settings.seed, settings.steps, first)
    return DataLoader(batches, sampler=order, batch_size=None, num_workers=workers)


def in_turn(indices: Int[ndarray, " clip"], size: int) -> Iterator[Int[ndarray, " batch"]]:
    """Yield all these indices once and in order, at most `size` at a time."""
    for start in range(0, len(indices), size):
        yield indices[start : start + size]
