"""From a method and its examples to a new model and what it is to minimize."""

import dataclasses
from typing import Literal

import torch

from s3vae.baselines.mocogan.generator import Categories, MoCoGAN
from s3vae.baselines.mocogan.objective import AdversarialObjective
from s3vae.data.clips import ClipFile
from s3vae.model.s3vae import S3VAE
from s3vae.signals.flow_file import FlowSignal
from s3vae.signals.landmark_file import LandmarkSignal
from s3vae.training.learner import AnyObjective
from s3vae.training.method import AdversarialMethod, Method
from s3vae.training.objective import Objective
from s3vae.training.targets import AnySignal, Examples, examples


def examples_for(
    method: Method | AdversarialMethod, clips: ClipFile, signal: AnySignal
) -> Examples:
    """What a method is told of the clips: labels only if it is one that learns from them.

    Raises ValueError if it is to predict another signal, or looks along tracks and has none.
    """
    if isinstance(method, AdversarialMethod):
        return examples(clips, signal, None, labelled=True)
    if (method.losses.signal == "distances") != isinstance(signal, LandmarkSignal):
        msg = (
            f"{signal.path} is not what `signal: {method.losses.signal}` predicts: distances are "
            "told by landmarks.h5, everything else by flow.h5"
        )
        raise ValueError(msg)
    if (
        method.architecture.encoder == "objects"
        and isinstance(signal, FlowSignal)
        and signal.motion.tracks is None
    ):
        msg = (
            f"{signal.path} has no tracks, which `encoder: objects` is trained along: set "
            "`objects: 2` in the data set's `flow` section of params.yaml, then dvc repro"
        )
        raise ValueError(msg)
    return examples(clips, signal, method.losses.exchange, labelled=method.losses.supervised)


def objective_of(method: Method | AdversarialMethod, given: Examples) -> AnyObjective:
    """A new model, its weights drawn from the seed, and what it is to minimize."""
    torch.manual_seed(method.training.seed)
    if isinstance(method, AdversarialMethod):
        return adversarial_objective(method, given)
    return variational_objective(method, given)


def variational_objective(method: Method, given: Examples) -> Objective:
    """A sequential VAE and its terms."""
    clips = given.batches.clips
    outputs = method.losses.outputs(given.cells, given.directions)
    exchange, shares = method.losses.exchange, given.cluster_shares
    starts = shares if exchange is not None and exchange.starts else torch.ones(1)
    sizes = dataclasses.replace(
        method.architecture, channels=clips.channels, signal=outputs, clusters=len(starts)
    )
    model = S3VAE(sizes)
    model.prior.shares.copy_(starts)
    return Objective(model, method.losses, len(shares), len(given.train), clips.factors)


def adversarial_objective(method: AdversarialMethod, given: Examples) -> AdversarialObjective:
    """A generator, told the factors that the headline row judges, and its discriminators.

    These are the dynamic factors, or the static ones where none is dynamic. Raises ValueError if
    the clips declare no factor.
    """
    clips = given.batches.clips
    if not clips.factors:
        msg = f"{clips.path} declares no factor, and this method is told categories: leave it out"
        raise ValueError(msg)
    moving = any(factor.kind == "dynamic" for factor in clips.factors)
    kind: Literal["static", "dynamic"] = "dynamic" if moving else "static"
    values = {factor.name: len(factor.values) for factor in clips.factors if factor.kind == kind}
    sizes = dataclasses.replace(method.architecture, channels=clips.channels)
    return AdversarialObjective(MoCoGAN(sizes, Categories(kind, values)), method.adversarial)
