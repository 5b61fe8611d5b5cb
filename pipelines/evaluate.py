"""Stage `evaluate`: what the judge says of one trained model, and the pictures to look at."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int
from numpy import ndarray

from pipelines.entry import arguments
from pipelines.keys import evaluate_key, write_origin
from pipelines.layout import Layout
from pipelines.params import section
from pipelines.runner import run_stage
from pipelines.tracking import StageRun, tracked
from pipelines.written import write_json
from s3vae.data.clips import ClipFile
from s3vae.evaluation.dependence import dependence_scores
from s3vae.evaluation.generation import encode, reconstruction_error
from s3vae.evaluation.judge import Judge, load_judge
from s3vae.evaluation.judging import judge_clips
from s3vae.evaluation.pictures import pictures, save_picture
from s3vae.evaluation.probes import probe_scores
from s3vae.evaluation.protocol import (
    Subject,
    on_real_clips,
    over_seeds,
    reconstruction_scores,
    sampled_scores,
)
from s3vae.evaluation.settings import EvaluationSettings
from s3vae.evaluation.trust import require_trust
from s3vae.files import replacing, sha256_of
from s3vae.model.s3vae import S3VAE
from s3vae.model.saved import load_model
from s3vae.progress import Progress
from s3vae.runtime import choose_device, keep_freed_memory
from s3vae.weights import WEIGHTS


def evaluate(files: Layout, method: str, settings: EvaluationSettings) -> None:
    """Leaves the scores of a model and its pictures; refuses if the judge is not to be trusted."""
    clips, device = ClipFile(files.clips), choose_device()
    model, judge = load_model(files.model(method), device), load_judge(files.judge, device)
    key = evaluate_key(settings, clips, files.model(method), files.judge)
    weights = sha256_of(files.model(method) / WEIGHTS)
    run = StageRun(
        "evaluate", files.dataset, method, key, dataclasses.asdict(settings), clips, weights
    )
    with tracked(run) as tracker:
        scores = score(model, judge, clips, settings, device)
        write_json(files.scores(method) / "metrics.json", scores)
        draw(model, clips, settings, device, files.scores(method) / "pictures")
        write_origin(files.scores(method), run, files.model(method))
        tracker.scores(scores)
        tracker.folder(files.scores(method) / "pictures", "pictures")


def score(
    model: S3VAE,
    judge: Judge,
    clips: ClipFile,
    settings: EvaluationSettings,
    device: torch.device,
) -> dict[str, float | None]:
    """Every score of the protocol on the test split (docs/protocol.md); None where undefined."""
    rows = clips.split("test")
    labels = {factor.name: clips.labels(factor.name)[rows] for factor in clips.factors}
    subject = Subject(clips.factors, labels, judge_clips(judge, clips, rows, device))
    require_trust(subject.on_real, labels, clips.factors, settings.least_judge_accuracy)
    codes = encode(model, clips, rows, device)
    known = probe_clips(clips, settings.probe_clips)
    sampled = []
    with Progress("evaluate", len(settings.sampling_seeds), "sampling seeds") as progress:
        for seed in settings.sampling_seeds:
            sampled.append(sampled_scores(model, judge, codes, subject, seed))
            progress.advance()
    scores = {
        **over_seeds(sampled),
        **on_real_clips(subject),
        **reconstruction_scores(model, judge, codes, subject),
        "reconstruction_error": reconstruction_error(model, codes, clips, rows),
        **dependence_scores(model, clips, rows, device),
        **probe_scores(
            encode(model, clips, known, device),
            {factor.name: clips.labels(factor.name)[known] for factor in clips.factors},
            codes,
            labels,
            clips.factors,
        ),
    }
    return {name: value if math.isfinite(value) else None for name, value in scores.items()}


def probe_clips(clips: ClipFile, count: int) -> Int[ndarray, " clip"]:
    """The training clips that the probes learn from: a fixed random choice."""
    return np.sort(np.random.default_rng(0).permutation(clips.split("train"))[:count])


def draw(
    model: S3VAE, clips: ClipFile, settings: EvaluationSettings, device: torch.device, folder: Path
) -> None:
    """The pictures of the protocol, as PNG and GIF, in a folder that is whole or not there."""
    grids = pictures(model, clips, settings.picture_clips, settings.sampling_seeds[0], device)
    with replacing(folder) as aside:
        aside.mkdir()
        for name, grid in grids.items():
            save_picture(grid, aside, name)


if __name__ == "__main__":
    keep_freed_memory()
    dataset, chosen = arguments("dataset", "method")
    asked = section(EvaluationSettings, "datasets", dataset, "evaluation")
    run_stage(f"evaluate {dataset} {chosen}", lambda: evaluate(Layout(dataset), chosen, asked))
