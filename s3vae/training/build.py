"""From a method and a training set to a new model, its objective and what the engine trains."""

import dataclasses
from typing import Literal

import numpy as np
import torch

from s3vae.baselines.mocogan.generator import Categories, MoCoGAN
from s3vae.baselines.mocogan.objective import AdversarialObjective
from s3vae.data.clips import ClipFile
from s3vae.engine.batches import in_turn
from s3vae.engine.fit import Learner
from s3vae.model.s3vae import S3VAE
from s3vae.runtime import generator_at
from s3vae.signals.flow_file import FlowSignal
from s3vae.training.method import AdversarialMethod, Method
from s3vae.training.objective import Objective
from s3vae.training.targets import TARGETS, SignalFile
from s3vae.training.training_set import TrainingSet, training_set

VALIDATION_CLIPS, VALIDATION_BATCH = 512, 64
AnyObjective = Objective | AdversarialObjective


def training_set_for(
    method: Method | AdversarialMethod, clips: ClipFile, signal: SignalFile
) -> TrainingSet:
    """Return the training set of a method; labels only for a method that learns from them.

    Raises ValueError if the method needs the tracks of objects and the signal has none.
    """
    if isinstance(method, AdversarialMethod):
        return training_set(clips, signal, TARGETS["cells"], labelled=True)
    tracked = isinstance(signal, FlowSignal) and signal.motion.tracks is not None
    if method.architecture.encoder == "objects" and not tracked:
        msg = (
            f"{signal.path} has no tracks, which `encoder: objects` is trained along: set "
            "`objects: 2` in the `flow` section of the data set, then run dvc repro"
        )
        raise ValueError(msg)
    losses = method.losses
    clustering = losses.exchange.clustering if losses.exchange else None
    target = TARGETS[losses.signal]
    return training_set(clips, signal, target, clustering, labelled=losses.supervised)


def objective_of(method: Method | AdversarialMethod, data: TrainingSet) -> AnyObjective:
    """Return a new model in its objective; the weights are drawn from the method's seed."""
    torch.manual_seed(method.training.seed)
    if isinstance(method, AdversarialMethod):
        return _adversarial_objective(method, data)
    clips = data.batches.clips
    exchange, frequencies = method.losses.exchange, data.cluster_frequencies
    starts = frequencies if exchange is not None and exchange.starts else torch.ones(1)
    sizes = dataclasses.replace(
        method.architecture, channels=clips.channels, signal=data.outputs, clusters=len(starts)
    )
    model = S3VAE(sizes)
    model.prior.shares.copy_(starts)
    return Objective(model, method.losses, len(frequencies), len(data.train), clips.factors)


def _adversarial_objective(method: AdversarialMethod, data: TrainingSet) -> AdversarialObjective:
    """Return a generator conditioned on the factors of the headline row, with discriminators.

    Those are the dynamic factors, or the static ones if none is dynamic. Raises ValueError if the
    clips declare no factor.
    """
    clips = data.batches.clips
    if not clips.factors:
        msg = f"{clips.path} has no labels, and this method is conditioned on them: leave it out"
        raise ValueError(msg)
    moving = any(factor.kind == "dynamic" for factor in clips.factors)
    kind: Literal["static", "dynamic"] = "dynamic" if moving else "static"
    values = {factor.name: len(factor.values) for factor in clips.factors if factor.kind == kind}
    sizes = dataclasses.replace(method.architecture, channels=clips.channels)
    return AdversarialObjective(MoCoGAN(sizes, Categories(kind, values)), method.adversarial)


def learner_of(objective: AnyObjective, data: TrainingSet, device: torch.device) -> Learner:
    """Return an objective as the engine trains it, validated by the same losses."""
    return Learner(objective, objective.losses, lambda: validation_losses(objective, data, device))


def validation_losses(
    objective: AnyObjective, data: TrainingSet, device: torch.device
) -> dict[str, float]:
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
