"""What training is given: the clips, and beside each what was found in it without labels."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int64
from numpy import ndarray
from torch import Tensor

from s3vae.data.clips import ClipFile
from s3vae.engine.batches import ClipBatches
from s3vae.losses.supervision import label_of
from s3vae.signals.clusters import (
    ClusterSettings,
    MotionClusters,
    motion_clusters,
    standardised,
    vector_clusters,
)
from s3vae.signals.flow_file import FlowSignal
from s3vae.signals.flow_grid import DIRECTIONS
from s3vae.signals.landmark_file import LandmarkSignal
from s3vae.training.presets import Exchange

AnySignal = FlowSignal | LandmarkSignal


@dataclass(frozen=True)
class Examples:
    """The clips with their signal and their motion clusters."""

    batches: ClipBatches
    clusters: MotionClusters | None
    train: Int64[ndarray, " train"]
    """The clips to train on: those of the train split that have a signal."""
    val: Int64[ndarray, " val"]
    """The clips to validate with, likewise."""
    cells: int = 0
    """How many cells of a grid the flow is told of; 0 if landmarks are."""
    directions: int = DIRECTIONS
    """How many bins the directions of moving cells are told in."""

    @property
    def cluster_shares(self) -> Tensor:
        """How frequent each motion is among the training clips; a single 1 where none are told."""
        number = self.clusters.number if self.clusters is not None else 1
        cluster = self.batches.known["cluster"][self.train]
        return torch.bincount(cluster, minlength=number) / len(self.train)


def examples(
    clips: ClipFile, signal: AnySignal, exchange: Exchange | None, *, labelled: bool = False
) -> Examples:
    """Clips, their signal in units of its spread over the training clips, and their clusters.

    Only training clips set the unit, and only among them clusters are found; clips that the
    landmarks were not found in are left out. The true factors are told only to what is to be
    trained on them. Raises ValueError if the signal was made from other clips, or is of none.
    """
    signal.require_clips(clips.sha256)
    train, val, cells, directions = clips.split("train"), clips.split("val"), 0, DIRECTIONS
    if isinstance(signal, LandmarkSignal):
        train, val = train[signal.whole[train]], val[signal.whole[val]]
        if not len(train) or not len(val):
            msg = f"{signal.path} has landmarks of no train or no val clip: mend what finds them"
            raise ValueError(msg)
        known = told_by_landmarks(signal, train)
    else:
        known = told_by_flow(signal, train)
        cells = known["direction"].shape[-1]
        directions = signal.parameters.get("directions", DIRECTIONS)
    found = clusters_of(signal, train, exchange.clustering) if exchange else None
    cluster = np.zeros(clips.clips, dtype=np.int64) if found is None else found.labels
    known["cluster"] = torch.from_numpy(cluster)
    if labelled:
        for factor in clips.factors:
            known[label_of(factor.name)] = torch.from_numpy(clips.labels(factor.name))
    return Examples(ClipBatches(clips, known), found, train, val, cells, directions)


def told_by_flow(flow: FlowSignal, train: Int64[ndarray, " train"]) -> dict[str, Tensor]:
    """The motion of cells in units of its spread, strongest cells, directions, and tracks."""
    motion = flow.motion
    cells = motion.cells.reshape(*motion.cells.shape[:2], -1)
    direction = motion.direction.reshape(*cells.shape[:2], -1)
    known = {
        "cells": torch.from_numpy(cells / max(float(cells[train].std()), 1e-6)),
        "top": torch.from_numpy(motion.top.astype(np.int64)),
        "direction": torch.from_numpy(direction.astype(np.int64)),
    }
    if motion.tracks is not None:
        known["tracks"] = torch.from_numpy(motion.tracks.astype(np.int64))
    return known


def told_by_landmarks(
    landmarks: LandmarkSignal, train: Int64[ndarray, " train"]
) -> dict[str, Tensor]:
    """The three distances, each less its mean and in units of its spread."""
    mean, spread = landmarks.scale(train)
    told = (landmarks.distances - mean) / spread
    return {"distances": torch.from_numpy(told.astype(np.float32))}


def clusters_of(
    signal: AnySignal, train: Int64[ndarray, " train"], settings: ClusterSettings
) -> MotionClusters:
    """Clips that move alike, by the motion of all cells or by the distances of all frames."""
    if isinstance(signal, FlowSignal):
        return motion_clusters(signal.motion.cells, train, settings)
    vectors = signal.distances.reshape(len(signal), -1).astype(np.float64)
    return vector_clusters(standardised(vectors, train), train, settings)
