"""Stage `train`: one method on one data set, from its clips and their motion signal to weights."""

import dataclasses
import os
import shutil
import sys
import uuid
from collections.abc import Iterable
from typing import Any

import torch
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from pipelines.cli import arguments, loader_workers
from pipelines.io import write_csv
from pipelines.params import section
from pipelines.paths import CHECKPOINTS, Layout
from pipelines.runner import run_stage
from pipelines.tracking.environment import running_code, write_environment
from pipelines.tracking.mlflow_run import StageRun, tracked
from pipelines.tracking.provenance import train_key, write_provenance
from s3vae.baselines.saved import save_model
from s3vae.data.clips import ClipFile
from s3vae.engine.batches import Batch, ShuffledBatches, loader
from s3vae.engine.checkpoint import Checkpoint
from s3vae.engine.fit import Fitted, Report, fit
from s3vae.engine.parallel import is_main_process, process_group, world_size
from s3vae.processes import cores
from s3vae.progress import LOG
from s3vae.runtime import choose_device, keep_freed_memory
from s3vae.training.build import learner_of, objective_of, signal_of, training_set_for
from s3vae.training.method import AnyMethod
from s3vae.training.targets import read_signal
from s3vae.training.training_set import TrainingSet


def train(files: Layout, name: str, method: Any) -> None:
    """Leave the model's folder and its history; a killed training goes on where it was."""
    code, clips, device = running_code(), ClipFile(files.clips), choose_device()
    signal = read_signal(signal_of(method), files.signals)
    data = training_set_for(method, clips, signal)
    if data.clusters is not None:
        LOG.info("motion clusters by silhouette: %s", data.clusters.silhouettes)
        if data.clusters.number == 1:
            LOG.warning("no motion clusters stand out: no exchange, no partners and no price")
    objective = objective_of(method, data).to(device)
    key = train_key(method, clips, signal.parameters)
    checkpoint = Checkpoint(CHECKPOINTS / "train", key)
    snapshots = CHECKPOINTS / "train" / f"{key}-snapshots"
    run = StageRun("train", files.dataset, name, key, dataclasses.asdict(method), clips)

    def fitted(report: Report) -> Fitted:
        return fit(
            learner_of(objective, data, device),
            lambda first: batches_from(first, data, method),
            method.training,
            checkpoint,
            device,
            report,
            label=f"train {files.dataset} {name}",
            keep=lambda step: save_model(objective.model, snapshots / f"{step:06}"),
        )

    with process_group(device):
        if not is_main_process():
            fitted(report=lambda row: None)
            return
        with tracked(run) as tracker:
            history, seconds = fitted(report=tracker.log)
            save_model(objective.model, files.model(name), snapshots)
            write_csv(files.scores(name) / "history.csv", history)
            threads = torch.get_num_threads() * world_size()
            write_environment(files.scores(name), code, method.training.steps, seconds, threads)
            for row in history:  # those that a kill kept from being sent; the others are known
                tracker.log(row)
            write_provenance(files.scores(name), run, files.model(name))
            tracker.model(files.model(name))
    checkpoint.remove()
    shutil.rmtree(snapshots, ignore_errors=True)


def batches_from(first: int, data: TrainingSet, method: Any) -> Iterable[Batch]:
    """The batches of the training clips from a step on."""
    settings = method.training
    order = ShuffledBatches(
        data.train,
        settings.batch_size,
        settings.seed,
        settings.steps,
        first,
    )
    return loader(data.batches, order, loader_workers())


def start_trainers() -> None:
    """Go on as `S3VAE_TRAINERS` processes on this machine, if that is set and torchrun has not.

    Ends as the first of them that fails does, so that DVC is told of a kill as of one.
    """
    trainers = int(os.environ.get("S3VAE_TRAINERS", "1"))
    if trainers == 1 or "RANK" in os.environ:
        return
    os.environ.setdefault("OMP_NUM_THREADS", str(max(cores() // trainers, 1)))
    settings = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=trainers,
        run_id=uuid.uuid4().hex,
        rdzv_backend="c10d",
        rdzv_endpoint="127.0.0.1:0",
    )
    try:
        elastic_launch(settings, sys.executable)("-m", "pipelines.stages.train", *sys.argv[1:])
    except ChildFailedError as error:
        _, failure = error.get_first_failure()
        sys.exit(128 - failure.exitcode if failure.exitcode < 0 else failure.exitcode)
    except SignalException as error:
        sys.exit(128 + error.sigval)
    sys.exit()


if __name__ == "__main__":
    start_trainers()
    keep_freed_memory()
    dataset, chosen = arguments("dataset", "method")
    asked: Any = section(
        AnyMethod,
        dataset,
        "methods",
        chosen,
    )
    if is_main_process():
        run_stage(f"train {dataset} {chosen}", lambda: train(Layout(dataset), chosen, asked))
    else:
        train(Layout(dataset), chosen, asked)
