"""Stage `train`: one method on one data set, from its clips and their motion signal to weights."""

import dataclasses
from collections.abc import Iterable

import torch

from pipelines.entry import arguments, loader_workers
from pipelines.keys import train_key, write_origin
from pipelines.layout import CHECKPOINTS, Layout
from pipelines.params import section
from pipelines.runner import run_stage
from pipelines.tracking import StageRun, tracked
from pipelines.written import write_csv
from s3vae.data.clips import ClipFile
from s3vae.model.s3vae import S3VAE
from s3vae.model.saved import save_model
from s3vae.progress import LOG
from s3vae.runtime import choose_device, keep_freed_memory
from s3vae.signals.store import FlowSignal
from s3vae.training.batches import Batch, ShuffledBatches, loader
from s3vae.training.checkpoint import Checkpoint
from s3vae.training.examples import Examples, examples
from s3vae.training.fit import fit
from s3vae.training.learner import model_learner
from s3vae.training.method import Method
from s3vae.training.objective import Objective


def train(files: Layout, name: str, method: Method) -> None:
    """Leave the model's folder and its history; a killed training goes on where it was."""
    clips, device = ClipFile(files.clips), choose_device()
    flow = FlowSignal(files.flow)
    given = examples(clips, flow, method.losses.exchange, labelled=method.losses.supervised)
    if given.clusters is not None:
        LOG.info("motion clusters by silhouette: %s", given.clusters.silhouettes)
        if given.clusters.number == 1:
            LOG.warning("no motion clusters stand out: no exchange and no partners")
    objective = objective_of(method, given).to(device)
    key = train_key(method, clips, flow.parameters)
    checkpoint = Checkpoint(CHECKPOINTS / "train", key)
    run = StageRun("train", files.dataset, name, key, dataclasses.asdict(method), clips)
    with tracked(run) as tracker:
        history = fit(
            model_learner(objective, given, device),
            lambda first: batches_from(first, given, method),
            method.training,
            checkpoint,
            device,
            tracker.log,
            label=f"train {files.dataset} {name}",
        )
        save_model(objective.model, files.model(name))
        write_csv(files.scores(name) / "history.csv", history)
        for row in history:  # those that a kill kept from being sent; the others are known
            tracker.log(row)
        write_origin(files.scores(name), run, files.model(name))
        tracker.model(files.model(name))
    checkpoint.remove()


def objective_of(method: Method, given: Examples) -> Objective:
    """A new model, its weights drawn from the seed, and what it is to minimize."""
    torch.manual_seed(method.training.seed)
    clips, cells = given.batches.clips, given.batches.known["direction"].shape[-1]
    outputs = method.losses.outputs(cells, given.directions)
    exchange, shares = method.losses.exchange, given.cluster_shares
    starts = shares if exchange is not None and exchange.starts else torch.ones(1)
    sizes = dataclasses.replace(
        method.architecture, channels=clips.channels, signal=outputs, clusters=len(starts)
    )
    model = S3VAE(sizes)
    model.prior.shares.copy_(starts)
    train_clips = len(clips.split("train"))
    return Objective(model, method.losses, len(shares), train_clips, clips.factors)


def batches_from(first: int, given: Examples, method: Method) -> Iterable[Batch]:
    """The batches of the training clips from a step on."""
    settings = method.training
    order = ShuffledBatches(
        given.batches.clips.split("train"),
        settings.batch_size,
        settings.seed,
        settings.steps,
        first,
    )
    return loader(given.batches, order, loader_workers())


if __name__ == "__main__":
    keep_freed_memory()
    dataset, chosen = arguments("dataset", "method")
    asked = section(Method, "datasets", dataset, "methods", chosen)
    run_stage(f"train {dataset} {chosen}", lambda: train(Layout(dataset), chosen, asked))
