"""Stage `judge`: the classifier of every factor, trained on real clips of the train split."""

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from pydantic import Field, TypeAdapter
from pydantic.dataclasses import dataclass
from torch import Generator
from torch.utils.data import Dataset

from pipelines.cli import arguments, loader_workers
from pipelines.downloads import fetch_files
from pipelines.io import write_csv, write_json
from pipelines.params import section
from pipelines.paths import CHECKPOINTS, RAW, Layout
from pipelines.runner import run_stage
from pipelines.tracking.environment import code_that_runs, write_circumstances
from pipelines.tracking.mlflow_run import StageRun, tracked
from pipelines.tracking.provenance import judge_key, write_origin
from s3vae.data.clips import ClipFile, Split
from s3vae.data.datasets import DataSet, Drawn
from s3vae.data.fresh import FreshClips
from s3vae.engine.batches import Batch, ClipBatches, FreshBatches, ShuffledBatches, loader
from s3vae.engine.checkpoint import Checkpoint
from s3vae.engine.fit import Learner, Losses, fit
from s3vae.engine.schedule import TrainingSettings
from s3vae.evaluation.settings import JudgeSettings
from s3vae.judge.network import Judge, judge_losses, mirrored, moved, save_judge, some_frames
from s3vae.judge.predictions import judge_clips
from s3vae.judge.scores import accuracy, conditional_entropy
from s3vae.progress import LOG
from s3vae.runtime import choose_device, keep_freed_memory
from s3vae.settings import STRICT
from s3vae.tensors import to_unit

NAME = "judge"


@dataclass(frozen=True, config=STRICT)
class JudgeStage:
    """The judge's network and its training."""

    network: JudgeSettings
    training: TrainingSettings
    shift: int = Field(default=0, ge=0)
    """By how many pixels a training clip is moved at most, so that few identities suffice."""
    mirror: bool = False
    """Whether half of the training clips are mirrored: where no factor tells left from right."""
    frames: int | None = Field(default=None, gt=0)
    """How many frames of a training clip are shown in a step, drawn at random; all if null. For
    factors that a few frames tell."""
    fresh: bool = False
    """Whether every training clip is drawn anew, from what the train split is drawn from: for data
    sets that are drawn (smmnist)."""


def train_judge(files: Layout, settings: JudgeStage) -> None:
    """Leaves the judge's folder, its history and its scores on real clips of every split."""
    code, clips, device = code_that_runs(), ClipFile(files.clips), choose_device()
    fresh = fresh_clips(clips) if settings.fresh else None
    torch.manual_seed(settings.training.seed)
    values = {factor.name: len(factor.values) for factor in clips.factors}
    network = settings.network
    judge = Judge(values, clips.channels, network.width, network.pooled, network.differences).to(
        device
    )
    key = judge_key(settings, clips)
    checkpoint = Checkpoint(CHECKPOINTS / NAME, key)
    run = StageRun("judge", files.dataset, NAME, key, dataclasses.asdict(settings), clips)
    with tracked(run) as tracker:
        if values:
            history, seconds = fit(
                judge_learner(judge, clips, device, settings),
                lambda first: batches_from(first, clips, settings, fresh),
                settings.training,
                checkpoint,
                device,
                tracker.log,
                label=f"train judge of {files.dataset}",
            )
        else:
            LOG.warning("%s has no labels: there is nothing that a judge could learn", files.clips)
            history, seconds = [], 0.0
        save_judge(judge, files.judge)
        write_csv(files.scores(NAME) / "history.csv", history)
        write_circumstances(
            files.scores(NAME), code, settings.training.steps, seconds, torch.get_num_threads()
        )
        for row in history:  # those that a kill kept from being sent; the others are known
            tracker.log(row)
        scores = on_real_clips(judge, clips, "val", device) | on_real_clips(
            judge, clips, "test", device
        )
        write_json(files.scores(NAME) / "metrics.json", scores)
        write_origin(files.scores(NAME), run, files.judge)
        tracker.scores(scores)
    checkpoint.remove()


def judge_learner(
    judge: Judge, clips: ClipFile, device: torch.device, settings: JudgeStage
) -> Learner:
    """Cross-entropy of every factor, on moved clips; validated by accuracy on the val split."""

    def losses(batch: Batch, generator: Generator) -> Losses:
        frames = batch.frames
        if settings.frames is not None:
            frames = some_frames(frames, settings.frames, generator)
        if settings.shift:
            frames = moved(frames, settings.shift, generator)
        if settings.mirror:
            frames = mirrored(frames, generator)
        return judge_losses(judge(to_unit(frames)), batch.known)

    def validate() -> dict[str, float]:
        scores = on_real_clips(judge, clips, "val", device)
        return {name.removeprefix("val_"): value for name, value in scores.items()}

    return Learner(judge, losses, validate)


def on_real_clips(
    judge: Judge, clips: ClipFile, split: Split, device: torch.device
) -> dict[str, float]:
    """Accuracy and H(y|x) of every factor on the real clips of a split."""
    rows = clips.split(split)
    judged = judge_clips(judge, clips, rows, device)
    return {
        f"{split}_{measure}_{name}": score
        for name in judged
        for measure, score in (
            ("accuracy", accuracy(judged[name], clips.labels(name)[rows])),
            ("h_y_given_x", conditional_entropy(judged[name])),
        )
    }


def batches_from(
    first: int, clips: ClipFile, settings: JudgeStage, fresh: FreshClips | None = None
) -> Iterable[Batch]:
    """Labelled clips to train on, in batches, from a step on: fresh ones if there are any."""
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
    order = ShuffledBatches(chosen, training.batch_size, training.seed, training.steps, first)
    return loader(batches, order, loader_workers())


def fresh_clips(clips: ClipFile) -> FreshClips:
    """Clips without end, drawn as those of the file were, from the same source.

    Raises ValueError if they are of a data set that is not drawn; DownloadError or
    FileNotFoundError if what they are drawn from is not to be had.
    """
    dataset = TypeAdapter[Any](DataSet).validate_python(clips.parameters)
    if not isinstance(dataset, Drawn):
        msg = f"{clips.path}: {clips.name} cannot be drawn anew: take `fresh` out of its `judge`"
        raise ValueError(msg)
    same = dataset.of_source(clips.source)
    fetch_files(f"judge {clips.name}", same.files, RAW)
    return same.fresh_clips(RAW)


if __name__ == "__main__":
    keep_freed_memory()
    (chosen,) = arguments("dataset")
    asked = section(JudgeStage, chosen, "judge")
    run_stage(f"judge {chosen}", lambda: train_judge(Layout(chosen), asked))
