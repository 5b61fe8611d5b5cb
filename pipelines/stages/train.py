"""Stage `train`: one method on one data set, from its clips and their motion signal to weights."""

import dataclasses
import os
import shutil
import sys
import uuid
from collections.abc import Iterable

import torch
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from pipelines.cli import arguments, loader_workers
from pipelines.io import write_csv
from pipelines.params import section
from pipelines.paths import CHECKPOINTS, Layout
from pipelines.runner import run_stage
from pipelines.tracking.environment import code_that_runs, write_circumstances
from pipelines.tracking.mlflow_run import StageRun, tracked
from pipelines.tracking.provenance import train_key, write_origin
from s3vae.baselines.saved import save_model
from s3vae.data.clips import ClipFile
from s3vae.engine.batches import Batch, ShuffledBatches, loader
from s3vae.engine.checkpoint import Checkpoint
from s3vae.engine.fit import Fitted, Report, fit
from s3vae.engine.parallel import leads, ranks, together
from s3vae.processes import cores
from s3vae.progress import LOG
from s3vae.runtime import choose_device, keep_freed_memory
from s3vae.signals.flow_file import FlowSignal
from s3vae.signals.landmark_file import LandmarkSignal
from s3vae.training.learner import model_learner
from s3vae.training.method import AdversarialMethod, AnyMethod, Method
from s3vae.training.objectives import examples_for, objective_of
from s3vae.training.targets import AnySignal, Examples


def train(files: Layout, name: str, method: Method | AdversarialMethod) -> None:
    """Leave the model's folder and its history; a killed training goes on where it was."""
    code, clips, device = code_that_runs(), ClipFile(files.clips), choose_device()
    signal = signal_for(files, method)
    given = examples_for(method, clips, signal)
    if given.clusters is not None:
        LOG.info("motion clusters by silhouette: %s", given.clusters.silhouettes)
        if given.clusters.number == 1:
            LOG.warning("no motion clusters stand out: no exchange, no partners and no price")
    objective = objective_of(method, given).to(device)
    key = train_key(method, clips, signal.parameters)
    checkpoint = Checkpoint(CHECKPOINTS / "train", key)
    snapshots = CHECKPOINTS / "train" / f"{key}-snapshots"
    run = StageRun("train", files.dataset, name, key, dataclasses.asdict(method), clips)

    def fitted(report: Report) -> Fitted:
        return fit(
            model_learner(objective, given, device),
            lambda first: batches_from(first, given, method),
            method.training,
            checkpoint,
            device,
            report,
            label=f"train {files.dataset} {name}",
            keep=lambda step: save_model(objective.model, snapshots / f"{step:06}"),
        )

    with together(device):
        if not leads():
            fitted(report=lambda row: None)
            return
        with tracked(run) as tracker:
            history, seconds = fitted(report=tracker.log)
            save_model(objective.model, files.model(name), snapshots)
            write_csv(files.scores(name) / "history.csv", history)
            threads = torch.get_num_threads() * ranks()
            write_circumstances(files.scores(name), code, method.training.steps, seconds, threads)
            for row in history:  # those that a kill kept from being sent; the others are known
                tracker.log(row)
            write_origin(files.scores(name), run, files.model(name))
            tracker.model(files.model(name))
    checkpoint.remove()
    shutil.rmtree(snapshots, ignore_errors=True)


def signal_for(files: Layout, method: Method | AdversarialMethod) -> AnySignal:
    """The signal that a method predicts."""
    if predicts(method) == "landmarks":
        return LandmarkSignal(files.landmarks)
    return FlowSignal(files.flow)


def predicts(method: Method | AdversarialMethod) -> str:
    """By which file a method is told its signal: facial distances by landmarks, else flow."""
    distances = isinstance(method, Method) and method.losses.signal == "distances"
    return "landmarks" if distances else "flow"


def batches_from(
    first: int, given: Examples, method: Method | AdversarialMethod
) -> Iterable[Batch]:
    """The batches of the training clips from a step on."""
    settings = method.training
    order = ShuffledBatches(
        given.train,
        settings.batch_size,
        settings.seed,
        settings.steps,
        first,
    )
    return loader(given.batches, order, loader_workers())


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
    asked: Method | AdversarialMethod = section(
        AnyMethod,  # type: ignore[arg-type]
        dataset,
        "methods",
        chosen,
    )
    if leads():
        run_stage(f"train {dataset} {chosen}", lambda: train(Layout(dataset), chosen, asked))
    else:
        train(Layout(dataset), chosen, asked)
