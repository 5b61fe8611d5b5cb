"""Stage `judge`: train the classifier of every factor on real clips of the train split."""

import torch

from pipelines.checks import checked_section
from pipelines.cli import arguments, loader_workers
from pipelines.downloads import fetch_files
from pipelines.io import write_json
from pipelines.paths import CHECKPOINTS, RAW, Layout
from pipelines.runner import run_stage
from pipelines.tracking.environment import running_code, write_training
from pipelines.tracking.mlflow_run import tracked
from pipelines.tracking.provenance import new_run, write_provenance
from s3vae.data.clips import ClipFile
from s3vae.data.fresh import FreshClips
from s3vae.engine.checkpoint import Checkpoint
from s3vae.judge.learner import drawn_source, fit_judge, new_judge, real_scores
from s3vae.judge.saved import save_judge
from s3vae.judge.settings import JudgeStage
from s3vae.runtime import choose_device, keep_freed_memory


def train_judge(files: Layout, settings: JudgeStage) -> None:
    """Write the judge's folder, its history and its scores on the real clips of two splits."""
    code, clips, device = running_code(), ClipFile(files.clips), choose_device()
    fresh = fresh_clips(clips) if settings.fresh else None
    judge = new_judge(clips, settings, device)
    run = new_run("judge", files.dataset, "judge", settings, clips)
    checkpoint, folder = Checkpoint(CHECKPOINTS / "judge", run.key), files.scores("judge")
    with tracked(run) as tracker:
        history, seconds = fit_judge(
            judge, clips, settings, checkpoint, device, tracker.log, fresh, loader_workers()
        )
        save_judge(judge, files.judge)
        write_training(folder, history, code, seconds, torch.get_num_threads())
        tracker.history(history)
        scores = real_scores(judge, clips, device, "val", "test")
        write_json(folder / "metrics.json", scores)
        write_provenance(folder, run, files.judge)
        tracker.scores(scores)
    checkpoint.remove()


def fresh_clips(clips: ClipFile) -> FreshClips:
    """Return clips without end from the source of a clip file, which is downloaded if needed."""
    dataset = drawn_source(clips)
    fetch_files(f"judge {clips.name}", dataset.files, RAW)
    return dataset.fresh_clips(RAW)


if __name__ == "__main__":
    keep_freed_memory()
    (dataset,) = arguments("dataset")
    settings = checked_section(JudgeStage, dataset, "judge")
    run_stage(f"judge {dataset}", lambda: train_judge(Layout(dataset), settings))
