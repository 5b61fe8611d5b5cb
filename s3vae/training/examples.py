"""What training is given: the clips, and beside each what was found in it without labels."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from s3vae.data.clips import ClipFile
from s3vae.signals.clusters import MotionClusters, motion_clusters
from s3vae.signals.motion import DIRECTIONS
from s3vae.signals.store import FlowSignal
from s3vae.training.batches import ClipBatches
from s3vae.training.presets import Exchange
from s3vae.training.supervision import label_of


@dataclass(frozen=True)
class Examples:
    """The clips with their motion signal and their motion clusters."""

    batches: ClipBatches
    clusters: MotionClusters | None
    directions: int = DIRECTIONS
    """How many bins the directions of moving cells are told in."""

    @property
    def cluster_shares(self) -> Tensor:
        """How frequent each motion is among the training clips; a single 1 where none are told."""
        train = self.batches.clips.split("train")
        number = self.clusters.number if self.clusters is not None else 1
        return torch.bincount(self.batches.known["cluster"][train], minlength=number) / len(train)


def examples(
    clips: ClipFile, flow: FlowSignal, exchange: Exchange | None, *, labelled: bool = False
) -> Examples:
    """Clips, their flow in units of its spread over the training clips, and their clusters.

    Only training clips set the unit, and only among them clusters are found. The true factors are
    told only to what is to be trained on them.
    Raises ValueError if the signal was made from other clips.
    """
    flow.require_clips(clips.sha256)
    train = clips.split("train")
    cells = flow.motion.cells.reshape(*flow.motion.cells.shape[:2], -1)
    direction = flow.motion.direction.reshape(*cells.shape[:2], -1)
    found = motion_clusters(flow.motion.cells, train, exchange.clustering) if exchange else None
    cluster = np.zeros(len(cells), dtype=np.int64) if found is None else found.labels
    known: dict[str, Tensor] = {
        "cells": torch.from_numpy(cells / max(float(cells[train].std()), 1e-6)),
        "top": torch.from_numpy(flow.motion.top.astype(np.int64)),
        "direction": torch.from_numpy(direction.astype(np.int64)),
        "cluster": torch.from_numpy(cluster),
    }
    if flow.motion.tracks is not None:
        known["tracks"] = torch.from_numpy(flow.motion.tracks.astype(np.int64))
    if labelled:
        for factor in clips.factors:
            known[label_of(factor.name)] = torch.from_numpy(clips.labels(factor.name))
    directions = flow.parameters.get("directions", DIRECTIONS)
    return Examples(ClipBatches(clips, known), found, directions)
