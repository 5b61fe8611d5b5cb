"""Clips in batches: in an order that is a function of the seed, so a resume needs only the step."""

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
from s3vae.tensors import RawVideo

HELD_BYTES = 2 * 2**30
"""The most memory that a file's frames may take; Sprites take 1.1 GB."""


class Batch(NamedTuple):
    """Clips and, by name, what is known of each of them (labels, motion signals, clusters)."""

    frames: RawVideo
    known: Mapping[str, Tensor]

    def to(self, device: torch.device) -> "Batch":
        """The same batch on a device."""
        return Batch(self.frames.to(device), {k: v.to(device) for k, v in self.known.items()})


class ClipBatches(Dataset[Batch]):
    """Batches of a clip file: `known` tables have a row per clip of the file.

    Where all frames take no more than `held_bytes`, each clip is read once and held in memory;
    longer files are read anew each time, and so do reader processes, which would hold copies.
    """

    def __init__(
        self, clips: ClipFile, known: Mapping[str, Tensor], held_bytes: int = HELD_BYTES
    ) -> None:
        self.clips, self.known = clips, known
        self.held = HeldClips(clips) if math.prod(clips.shape) <= held_bytes else None

    def __getitem__(self, indices: ndarray) -> Batch:
        """The clips at these numbers, in the order asked for."""
        beside = get_worker_info() is not None
        source = self.clips if self.held is None or beside else self.held
        frames = torch.from_numpy(source.frames(indices))
        rows = torch.from_numpy(indices)
        return Batch(frames, {name: table[rows] for name, table in self.known.items()})


class FreshBatches(Dataset[Batch]):
    """Batches of clips that are drawn when they are asked for; known are their factors."""

    def __init__(self, fresh: FreshClips) -> None:
        self.fresh = fresh

    def __getitem__(self, numbers: ndarray) -> Batch:
        """The clips with these numbers."""
        frames, factors = zip(*(self.fresh.clip(int(number)) for number in numbers), strict=True)
        known = {name: torch.tensor([each[name] for each in factors]) for name in factors[0]}
        return Batch(torch.from_numpy(np.stack(frames)), known)


class HeldClips:
    """The clips of a file, each read when it is first asked for; a copy starts with none."""

    def __init__(self, clips: ClipFile) -> None:
        self.clips = clips
        self.taken = np.zeros(clips.clips, dtype=bool)
        self.memory = np.empty(clips.shape, np.uint8)  # not touched, so not taken, until read into

    def frames(
        self, indices: Int[ndarray, " chosen"]
    ) -> UInt8[ndarray, "chosen time height width channel"]:
        """The clips at these numbers, in the order asked for."""
        missing = indices[~self.taken[indices]]
        if len(missing):
            self.memory[missing] = self.clips.frames(missing)
            self.taken[missing] = True
        frames: ndarray = self.memory[indices]
        return frames

    def __reduce__(self) -> tuple[type["HeldClips"], tuple[ClipFile]]:
        return HeldClips, (self.clips,)


class ShuffledBatches:
    """`steps` batches of clip numbers, from batch `first` on; no clip twice per epoch.

    What does not fill a batch is left out of that epoch. Never sorted: clips of one identity stand
    together in a file, and the triplet's negative is a clip's neighbour in the batch.
    """

    def __init__(
        self, indices: Int[ndarray, " clip"], size: int, seed: int, steps: int, first: int = 0
    ) -> None:
        if len(indices) < 1:
            msg = "there is no clip to train on: the split is empty"
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


def loader(batches: Dataset[Batch], order: ShuffledBatches, workers: int) -> DataLoader[Batch]:
    """Batches in that order; `workers` > 0 processes read them ahead of time."""
    return DataLoader(batches, sampler=order, batch_size=None, num_workers=workers)


def in_turn(indices: Int[ndarray, " clip"], size: int) -> Iterator[Int[ndarray, " batch"]]:
    """All these clips once, in order, at most `size` at a time."""
    for start in range(0, len(indices), size):
        yield indices[start : start + size]
