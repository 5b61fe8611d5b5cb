"""The training of a judge: cross-entropy on augmented clips, validated by accuracy."""

import math
from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

import numpy as np
import torch
from pydantic import TypeAdapter
from torch import Generator, Tensor
from torch.nn.functional import cross_entropy
from torch.utils.data import Dataset

from s3vae.data.clips import ClipFile, Split
from s3vae.data.datasets import DataSet, Drawn
from s3vae.data.fresh import FreshClips
from s3vae.engine.batches import Batch, ClipBatches, FreshBatches, training_batches
from s3vae.engine.checkpoint import Checkpoint, History
from s3vae.engine.fit import Fitted, Learner, Losses, Report, fit, no_better
from s3vae.judge.augment import augment
from s3vae.judge.network import Judge, Logits
from s3vae.judge.predictions import predict_clips
from s3vae.judge.scores import accuracy, conditional_entropy
from s3vae.judge.separate import SeparateJudge
from s3vae.judge.settings import JudgeStage
from s3vae.progress import LOG
from s3vae.tensors import Scalar, to_unit

UNSEEN_PAIRS = (
    "%s: training never shows %.0f %% of the pairs of a static and a dynamic value, which the "
    "judge may read as others: set `judge.network.separate: true`, if small windows show the "
    "static factors"
)


def new_judge(clips: ClipFile, settings: JudgeStage, device: torch.device) -> Judge:
    """Return an untrained judge of the factors of a clip file, initialized from the seed."""
    torch.manual_seed(settings.training.seed)
    values = {factor.name: len(factor.values) for factor in clips.factors}
    network = settings.network
    if network.separate:
        static = [factor.name for factor in clips.factors if factor.kind == "static"]
        return SeparateJudge(values, clips.channels, network.width, static).to(device)
    judge = Judge(values, clips.channels, network.width, network.pooled, network.differences)
    return judge.to(device)


def fit_judge(
    judge: Judge,
    clips: ClipFile,
    settings: JudgeStage,
    checkpoint: Checkpoint,
    device: torch.device,
    report: Report,
    fresh: FreshClips | None = None,
    workers: int = 0,
) -> Fitted:
    """Train a judge, on fresh clips if there are any; without labels it stays untrained."""
    if not clips.factors:
        LOG.warning("%s has no labels: the judge stays untrained", clips.path)
        return Fitted([], 0.0)
    unseen = unseen_pairs(clips)
    if unseen > 0 and fresh is None and not settings.network.separate:
        LOG.warning(UNSEEN_PAIRS, clips.path, 100 * unseen)
    return fit(
        judge_learner(judge, clips, device, settings),
        lambda first: judge_batches(first, clips, settings, fresh, workers),
        settings.training,
        checkpoint,
        device,
        report,
        label=f"train judge of {clips.name}",
    )


def unseen_pairs(clips: ClipFile) -> float:
    """Return the share of pairs of a static and a dynamic value that the train split never shows.

    It is that of the two factors for which it is largest.
    """
    rows, shares = clips.split("train"), [0.0]
    for factors in product(clips.static_factors, clips.dynamic_factors):
        labels = [clips.labels(factor.name)[rows] for factor in factors]
        possible = math.prod(len(factor.values) for factor in factors)
        shares.append(1 - len(set(zip(*labels, strict=True))) / possible)
    return max(shares)


def judge_learner(
    judge: Judge, clips: ClipFile, device: torch.device, settings: JudgeStage
) -> Learner:
    """Return the losses on augmented clips and the scores on the validation split."""

    def losses(batch: Batch, generator: Generator) -> Losses:
        frames = augment(batch.frames, settings, generator)
        return judge_losses(judge.learn(to_unit(frames), generator), batch.known)

    def validate() -> dict[str, float]:
        scores = real_scores(judge, clips, device, "val")
        return {name.removeprefix("val_"): value for name, value in scores.items()}

    return Learner(judge, losses, validate, lambda history: finished(history, settings))


def finished(history: History, settings: JudgeStage) -> bool:
    """Return whether a judge is perfect, or has become no better, on the validation split.

    What counts is the accuracy of the worst factor at each validation.
    """
    accuracies = ([v for k, v in row.items() if k.startswith("val_accuracy_")] for row in history)
    worst = [min(each) for each in accuracies if each]
    perfect = settings.perfect_validations
    if perfect is not None and len(worst) >= perfect and min(worst[-perfect:]) == 1:
        return True
    return no_better([1 - accuracy for accuracy in worst], settings.patience)


def judge_losses(logits: Logits, labels: Mapping[str, Tensor]) -> dict[str, Scalar]:
    """Return the cross-entropy of every factor by name, and their sum as `total`."""
    losses = {name: cross_entropy(logits[name], labels[name]) for name in logits}
    return {**losses, "total": torch.stack(list(losses.values())).sum()}


def real_scores(
    judge: Judge, clips: ClipFile, device: torch.device, *splits: Split
) -> dict[str, float]:
    """Return accuracy and H(y|x) of every factor on the real clips of splits."""
    scores = {}
    for split in splits:
        rows = clips.split(split)
        for name, each in predict_clips(judge, clips, rows, device).items():
            scores[f"{split}_accuracy_{name}"] = accuracy(each, clips.labels(name)[rows])
            scores[f"{split}_h_y_given_x_{name}"] = conditional_entropy(each)
    return scores


def judge_batches(
    first: int,
    clips: ClipFile,
    settings: JudgeStage,
    fresh: FreshClips | None = None,
    workers: int = 0,
) -> Iterable[Batch]:
    """Return labelled training batches from step `first` on: of fresh clips if there are any.

    `workers` > 0 processes read them ahead of time.
    """
    training = settings.training
    if fresh is not None:
        batches: Dataset[Batch] = FreshBatches(fresh)
        chosen = np.arange(training.steps * training.batch_size)
    else:
        labels = {
            factor.name: torch.from_numpy(clips.labels(factor.name).astype(np.int64))
            for factor in clips.factors
        }
        batches, chosen = ClipBatches(clips, labels), clips.split("train")
    return training_batches(batches, chosen, training, first, workers)


def drawn_source(clips: ClipFile) -> Drawn:
    """Return the drawn data set that a clip file was written from, for more clips of its source.

    Raises ValueError if the clips are not drawn.
    """
    dataset = TypeAdapter[Any](DataSet).validate_python(clips.parameters)
    if not isinstance(dataset, Drawn):
        msg = (
            f"{clips.path}: clips of {clips.name} are not drawn, so there are no fresh ones: "
            "remove `fresh` from its `judge` settings"
        )
        raise ValueError(msg)
    return dataset.of_source(clips.source)
