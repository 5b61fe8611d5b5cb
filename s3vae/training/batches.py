"""Clips in batches: in an order that is a function of the seed, so a resume needs only the step."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int
from numpy import ndarray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from s3vae.data.clips import ClipFile
from s3vae.tensors import RawVideo


class Batch(NamedTuple):
    """Clips and, by name, what is known of each of them (labels, motion signals, clusters)."""

    frames: RawVideo
    known: Mapping[str, Tensor]

    def to(self, device: torch.device) -> "Batch":
        """The same batch on a device."""
        return Batch(self.frames.to(device), {k: v.to(device) for k, v in self.known.items()})


class ClipBatches(Dataset[Batch]):
    """Batches of a clip file: `known` tables have a row per clip of the file."""

    def __init__(self, clips: ClipFile, known: Mapping[str, Tensor]) -> None:
        self.clips, self.known = clips, known

    def __getitem__(self, indices: ndarray) -> Batch:
        """The clips at these numbers (increasing numbers read fastest)."""
        frames = torch.from_numpy(self.clips.frames(indices))
        rows = torch.from_numpy(indices)
        return Batch(frames, {name: table[rows] for name, table in self.known.items()})


class ShuffledBatches:
    """`steps` batches of clip numbers, every clip once per epoch, from batch `first` on."""

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
            yield np.sort(order[position * self.size : (position + 1) * self.size])


def loader(batches: ClipBatches, order: ShuffledBatches, workers: int) -> DataLoader[Batch]:
    """Batches in that order; `workers` > 0 processes read them ahead of time."""
    return DataLoader(batches, sampler=order, batch_size=None, num_workers=workers)


def in_turn(indices: Int[ndarray, " clip"], size: int) -> Iterator[Int[ndarray, " batch"]]:
    """All these clips once, in order, at most `size` at a time."""
    for start in range(0, len(indices), size):
        yield indices[start : start + size]
