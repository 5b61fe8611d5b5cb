"""Stage `train`: train a method on the clips of a data set and their motion signal."""

from functools import partial
from typing import Any

from pipelines.checks import checked_section
from pipelines.cli import arguments, loader_workers
from pipelines.paths import CHECKPOINTS, Layout
from pipelines.preview import with_preview
from pipelines.runner import run_stage
from pipelines.tracking.environment import running_code, write_training
from pipelines.tracking.mlflow_run import tracked
from pipelines.tracking.provenance import new_run, write_provenance
from pipelines.trainers import start_trainers
from s3vae.baselines.saved import save_model
from s3vae.data.clips import ClipFile
from s3vae.data.preparation import preparation_of
from s3vae.engine.checkpoint import Checkpoint
from s3vae.engine.parallel import process_group, total_threads
from s3vae.processes import is_main_process
from s3vae.runtime import choose_device, keep_freed_memory
from s3vae.training.build import fit_objective, objective_of, signal_of, training_set_for
from s3vae.training.method import AnyMethod
from s3vae.training.static_prior import learn_static_prior
from s3vae.training.targets import read_signal
from s3vae.training.usual_error import usual_error


def train(files: Layout, name: str, method: Any) -> None:
    """Write a model's folder and its history; a killed training resumes from its checkpoint."""
    code, clips, device = running_code(), ClipFile(files.clips), choose_device()
    signal = read_signal(signal_of(method), files.signals)
    data = training_set_for(method, clips, signal)
    objective = objective_of(method, data).to(device)
    run = new_run("train", files.dataset, name, method, clips, signal.parameters)
    checkpoint = Checkpoint(CHECKPOINTS / "train", run.key)
    label, workers = f"train {files.dataset} {name}", loader_workers()
    fit = partial(fit_objective, objective, data, method, checkpoint, device, label, workers)
    model, results = files.model(name), files.scores(name)
    with process_group(device):
        if not is_main_process():
            fit()
            return
        with tracked(run) as tracker:
            preview = with_preview(tracker, objective.model, clips, files.preview(name))
            history, seconds = fit(report=preview)
            learn_static_prior(objective.model, data.batches, device)
            preparation = preparation_of(clips, usual_error(history, clips))
            save_model(objective.model, model, checkpoint.snapshots, preparation)
            write_training(results, history, code, seconds, total_threads())
            tracker.history(history)
            write_provenance(results, run, model)
            tracker.model(model)
    checkpoint.remove()


if __name__ == "__main__":
    start_trainers("pipelines.stages.train")
    keep_freed_memory()
    dataset, chosen = arguments("dataset", "method")
    settings: Any = checked_section(AnyMethod, dataset, "methods", chosen)
    run_stage(f"train {dataset} {chosen}", lambda: train(Layout(dataset), chosen, settings))
