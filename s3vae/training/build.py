"""The model and the objective of a method on a training set, and their training."""

import dataclasses
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from s3vae.baselines.catalogue import BASELINES
from s3vae.baselines.saved import save_model
from s3vae.data.clips import ClipFile
from s3vae.engine.acceleration import accelerated
from s3vae.engine.batches import in_turn, training_batches
from s3vae.engine.checkpoint import Checkpoint, History
from s3vae.engine.fit import Fitted, Learner, Report, fit, stalled
from s3vae.model.s3vae import S3VAE
from s3vae.processes import is_main_process
from s3vae.progress import LOG
from s3vae.runtime import generator_at
from s3vae.signals.flow_file import FlowSignal
from s3vae.training.method import Method
from s3vae.training.objective import Objective
from s3vae.training.targets import TARGETS, SignalFile
from s3vae.training.training_set import TrainingSet, training_set

VALIDATION_CLIPS, VALIDATION_BATCH = 512, 64


def signal_of(method: Any) -> str:
    """Return the name of the signal that a method predicts; a baseline predicts none."""
    return method.losses.signal if isinstance(method, Method) else "cells"


def training_set_for(method: Any, clips: ClipFile, signal: SignalFile) -> TrainingSet:
    """Return the training set of a method; labels only for a method that learns from them.

    Raises ValueError if the method needs the tracks of objects and the signal has none.
    """
    target = TARGETS[signal_of(method)]
    if not isinstance(method, Method):
        return training_set(clips, signal, target, labelled=True)
    tracked = isinstance(signal, FlowSignal) and signal.motion.tracks is not None
    if method.architecture.encoder == "objects" and not tracked:
        raise ValueError(
            f"{signal.path} has no tracks, which `encoder: objects` is trained along: set "
            "`objects: 2` in the `flow` section of the data set, then run dvc repro"
        )
    losses = method.losses
    clustering = losses.exchange.clustering if losses.exchange else None
    return training_set(clips, signal, target, clustering, labelled=losses.supervised)


def objective_of(method: Any, data: TrainingSet) -> Any:
    """Return a new model in its objective; the weights are drawn from the method's seed."""
    torch.manual_seed(method.training.seed)
    clips = data.batches.clips
    for baseline in BASELINES:
        if isinstance(method, baseline.method):
            return baseline.objective(method, clips)
    exchange, frequencies = method.losses.exchange, data.cluster_frequencies
    starts = frequencies if exchange is not None and exchange.initial_states else torch.ones(1)
    sizes = dataclasses.replace(
        method.architecture,
        channels=clips.channels,
        height=clips.height,
        width=clips.width,
        signal=data.outputs,
        predicts=method.losses.signal,
        clusters=len(starts),
    )
    model = S3VAE(sizes)
    model.prior.shares.copy_(starts)
    return Objective(model, method.losses, len(frequencies), len(data.train), clips.factors)


def fit_objective(
    objective: Any,
    data: TrainingSet,
    method: Any,
    checkpoint: Checkpoint,
    device: torch.device,
    label: str,
    workers: int = 0,
    report: Report = lambda row: None,
) -> Fitted:
    """Train an objective to the end, with snapshots of its model beside the checkpoint."""
    settings = method.training.for_clips(len(data.train))
    networks = convolutional_networks(objective.model) if settings.accelerated else []
    if networks and device.type == "cpu":
        LOG.warning("training.accelerated is for CUDA: on a CPU it may be slower")
    with accelerated(networks, device):
        return fit(
            learner_of(objective, data, device, settings.patience),
            lambda first: training_batches(data.batches, data.train, settings, first, workers),
            settings,
            checkpoint,
            device,
            report,
            label,
            lambda step: save_model(objective.model, checkpoint.snapshots / f"{step:06}"),
        )


def convolutional_networks(model: S3VAE) -> list[nn.Module]:
    """Return the encoders and the decoder of a model."""
    networks = model.frame_encoder, model.window_encoder, model.decoder
    return [network for network in networks if network is not None]


def learner_of(
    objective: Any, data: TrainingSet, device: torch.device, patience: int | None = None
) -> Learner:
    """Return an objective as the engine trains it, validated by the same losses."""

    def finished(history: History) -> bool:
        ends = stalled(history, patience)
        if ends and is_main_process():
            LOG.info("training ends after %d steps: see `patience`", history[-1]["step"])
        return ends

    validate = partial(validation_losses, objective, data, device)
    return Learner(objective, objective.losses, validate, finished)


def validation_losses(objective: Any, data: TrainingSet, device: torch.device) -> dict[str, float]:
    """Return the losses on at most 512 validation clips, with the same draws at every call."""
    # in a random order: clips of one identity are neighbours in a file
    clips = np.random.default_rng(0).permutation(data.val)[:VALIDATION_CLIPS]
    # a last batch of one clip has no other clip to compare with
    clips = clips[: len(clips) - (len(clips) % VALIDATION_BATCH == 1)]
    sums: dict[str, float] = {}
    for number, indices in enumerate(in_turn(clips, VALIDATION_BATCH)):
        batch = data.batches[indices].to(device)
        for name, value in objective.losses(batch, generator_at(device, 0, number)).items():
            sums[name] = sums.get(name, 0.0) + value.item() * len(indices) / len(clips)
    return sums
