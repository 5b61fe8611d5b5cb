"""The clips of a training and their annotations: motion signal, tracks, motion cluster."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int64
from numpy import ndarray
from torch import Tensor

from s3vae.data.clips import ClipFile
from s3vae.engine.batches import ClipBatches
from s3vae.losses.supervision import label_of
from s3vae.progress import LOG
from s3vae.signals.clusters import (
    ClusterSettings,
    MotionClusters,
    TrainClips,
    colour_dependence,
    motion_clusters,
    standardised,
    vector_clusters,
)
from s3vae.signals.flow_file import FlowSignal
from s3vae.signals.landmark_file import LandmarkSignal
from s3vae.training.targets import SignalFile, Target

DEPENDENT, CHECKED_CLIPS = 0.1, 500
"""The adjusted mutual information of motion and colour from which the log warns, and the number of
clips that it is estimated on. Independent labels of 100 clips reach .09 in 300 draws."""


@dataclass(frozen=True)
class TrainingSet:
    """Clips in batches, divided into training and validation clips."""

    batches: ClipBatches
    clusters: MotionClusters
    train: TrainClips
    """The clips of the train split that have a signal."""
    val: Int64[ndarray, " val"]
    """The clips of the validation split that have a signal."""
    outputs: int
    """The outputs per frame of the head that predicts the signal."""

    @property
    def cluster_frequencies(self) -> Tensor:
        """The frequency of each motion cluster among the training clips."""
        cluster = self.batches.known["cluster"][self.train]
        return torch.bincount(cluster, minlength=self.clusters.number) / len(self.train)


def training_set(
    clips: ClipFile,
    signal: SignalFile,
    target: Target,
    clustering: ClusterSettings | None = None,
    *,
    labelled: bool = False,
) -> TrainingSet:
    """Return clips with the targets of a signal and, with `clustering`, their motion clusters.

    Units and clusters are fitted on training clips only; clips without landmarks are left out. True
    factors are included only if `labelled`. Raises ValueError if the signal belongs to other clips,
    or if no clip has one.
    """
    signal.require_clips(clips.sha256)
    train, val = clips.split("train"), clips.split("val")
    if isinstance(signal, LandmarkSignal):
        train, val = train[signal.whole[train]], val[signal.whole[val]]
        if not len(train) or not len(val):
            raise ValueError(
                f"{signal.path} has landmarks of no train or no val clip: choose another back end "
                "or larger crops in the `landmarks` and `data` sections"
            )
    known = dict(target.targets(signal, train))
    if isinstance(signal, FlowSignal) and signal.motion.tracks is not None:
        known["tracks"] = torch.from_numpy(signal.motion.tracks.astype(np.int64))
    clusters = _clusters(signal, train, clustering)
    known["cluster"] = torch.from_numpy(clusters.labels)
    if labelled:
        for factor in clips.factors:
            known[label_of(factor.name)] = torch.from_numpy(clips.labels(factor.name))
    batches = ClipBatches(clips, known)
    if clusters.number > 1:
        _warn_of_dependence(batches, clusters, train)
    return TrainingSet(batches, clusters, train, val, target.outputs(signal))


def _clusters(
    signal: SignalFile, train: TrainClips, settings: ClusterSettings | None
) -> MotionClusters:
    """Return and log clusters of clips by the flow of all cells or the distances of all frames."""
    if settings is None:
        return MotionClusters(np.zeros(len(signal), np.int64), 1, {})
    if isinstance(signal, FlowSignal):
        clusters = motion_clusters(signal.motion.cells, train, settings)
    else:
        vectors = signal.distances.reshape(len(signal), -1).astype(np.float64)
        clusters = vector_clusters(standardised(vectors, train), train, settings)
    LOG.info("motion clusters by silhouette: %s", clusters.silhouettes)
    if clusters.number == 1:
        LOG.warning("no distinct motion clusters: training without motion exchange and swaps")
    return clusters


def _warn_of_dependence(batches: ClipBatches, clusters: MotionClusters, train: TrainClips) -> None:
    """Log whether motion clusters depend on colours, which the exchange assumes they do not."""
    sample = np.random.default_rng(0).permutation(train)[:CHECKED_CLIPS]
    found = colour_dependence(batches[sample].frames.numpy(), clusters.labels[sample])
    if found > DEPENDENT:
        LOG.warning(
            "motion clusters and colours are dependent (adjusted mutual information %.2f, above "
            "%.2f): the exchange assumes that motion and appearance are independent",
            found,
            DEPENDENT,
        )
