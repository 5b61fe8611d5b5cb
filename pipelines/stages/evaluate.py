"""Stage `evaluate`: what the judge says of one trained model, and the pictures to look at."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int
from numpy import ndarray

from pipelines.cli import arguments
from pipelines.io import write_csv, write_json
from pipelines.params import section
from pipelines.paths import Layout
from pipelines.runner import run_stage
from pipelines.tracking.mlflow_run import StageRun, tracked
from pipelines.tracking.provenance import evaluate_key, write_origin
from s3vae.baselines.saved import Model, load_model
from s3vae.data.clips import ClipFile, Split
from s3vae.evaluation.codes import (
    Codes,
    Generating,
    encode,
    reconstruction_error,
)
from s3vae.evaluation.dependence import dependence_scores
from s3vae.evaluation.distances import distance_scores, draw_distances, read_off
from s3vae.evaluation.evidence import evidence, write_evidence
from s3vae.evaluation.examination import examine, sampled_scores, stand_in
from s3vae.evaluation.metrics import names
from s3vae.evaluation.pictures import decode, pictures, save_picture, varied_clips
from s3vae.evaluation.probes import probe_scores
from s3vae.evaluation.protocol import (
    Subject,
    draw_and_judge,
    drawn_scores,
    on_real_clips,
    over_seeds,
    reconstruction_scores,
)
from s3vae.evaluation.settings import EvaluationSettings
from s3vae.files import checksum_of, replacing
from s3vae.judge.check import require_trust
from s3vae.judge.network import Judge, load_judge
from s3vae.judge.predictions import judge_clips
from s3vae.model.s3vae import S3VAE
from s3vae.model.saved import snapshots_of
from s3vae.progress import Progress
from s3vae.runtime import choose_device, keep_freed_memory
from s3vae.signals.landmark_file import LandmarkSignal
from s3vae.weights import WEIGHTS


def evaluate(
    files: Layout, method: str, settings: EvaluationSettings, landmarks: LandmarkSignal | None
) -> None:
    """Leaves the scores of a model and its pictures; refuses if the judge is not to be trusted.

    Of one that was trained beside landmarks, also how well their distances are read off z_t.
    """
    clips, device = ClipFile(files.clips), choose_device()
    model, judge = load_model(files.model(method), device), load_judge(files.judge, device)
    key = evaluate_key(settings, clips, files.model(method), files.judge)
    weights = checksum_of(files.model(method) / WEIGHTS)
    run = StageRun(
        "evaluate", files.dataset, method, key, dataclasses.asdict(settings), clips, weights
    )
    with tracked(run) as tracker:
        subject = trusted_subject(judge, clips, settings, device)
        if landmarks is not None:
            landmarks.require_clips(clips.sha256)
        scores, arrays = score(model, judge, clips, subject, settings, device, landmarks)
        curve = [
            {"step": step, **curve_scores(load_model(path, device), judge, clips, subject, device)}
            for step, path in snapshots_of(files.model(method)).items()
        ]
        write_json(files.scores(method) / "metrics.json", scores)
        write_csv(files.scores(method) / "curve.csv", curve)
        write_evidence(files.evidence(method), arrays)
        draw(model, clips, settings, device, files.scores(method) / "pictures", landmarks)
        write_origin(files.scores(method), run, files.model(method))
        tracker.scores(scores)
        tracker.folder(files.scores(method) / "pictures", "pictures")
        tracker.file(files.evidence(method), "evidence")


def trusted_subject(
    judge: Judge,
    clips: ClipFile,
    settings: EvaluationSettings,
    device: torch.device,
    split: Split = "test",
) -> Subject:
    """The test clips under judgement; raises UntrustworthyJudgeError if the judge errs on them."""
    rows = clips.split(split)
    labels = {factor.name: clips.labels(factor.name)[rows] for factor in clips.factors}
    subject = Subject(clips.factors, labels, judge_clips(judge, clips, rows, device))
    require_trust(subject.on_real, labels, clips.factors, settings.least_judge_accuracy)
    return subject


def score(
    model: Model,
    judge: Judge,
    clips: ClipFile,
    subject: Subject,
    settings: EvaluationSettings,
    device: torch.device,
    landmarks: LandmarkSignal | None = None,
    split: Split = "test",
) -> tuple[dict[str, float | None], dict[str, ndarray]]:
    """Every score of the protocol on a split (docs/protocol.md), None where undefined.

    Beside them the probabilities that they are computed from. With landmarks also how well the
    distances of lids and lips are read off z_t.
    """
    rows = clips.split(split)
    examined = examine(model, judge, clips, rows, subject, device)
    draws = {}
    with Progress("evaluate", len(settings.sampling_seeds), "sampling seeds") as progress:
        for seed in settings.sampling_seeds:
            draws[seed] = draw_and_judge(examined.maker, judge, examined.codes, seed)
            progress.advance()
    scores = {
        **over_seeds([drawn_scores(examined.subject, each) for each in draws.values()]),
        **on_real_clips(subject),
    }
    if isinstance(model, S3VAE):
        scores |= reconstruction_scores(examined.subject, examined.reconstruction)
        scores |= code_scores(model, examined.codes, clips, rows, settings, device)
        if landmarks is not None:
            told = read_off(model, examined.codes, clips, landmarks)
            scores |= distance_scores(told, landmarks, rows)
    defined = {name: value if math.isfinite(value) else None for name, value in scores.items()}
    return defined, evidence(examined.subject, examined.reconstruction, draws)


def code_scores(
    model: S3VAE,
    codes: Codes,
    clips: ClipFile,
    rows: Int[ndarray, " clip"],
    settings: EvaluationSettings,
    device: torch.device,
) -> dict[str, float]:
    """What only a model with an encoder has: how it reconstructs, and what its codes tell."""
    known = probe_clips(clips, settings.probe_clips)
    return {
        "reconstruction_error": reconstruction_error(model, codes, clips, rows),
        **dependence_scores(model, clips, rows, device),
        **probe_scores(
            encode(model, clips, known, device),
            {factor.name: clips.labels(factor.name)[known] for factor in clips.factors},
            codes,
            {factor.name: clips.labels(factor.name)[rows] for factor in clips.factors},
            clips.factors,
        ),
    }


def curve_scores(
    model: Model, judge: Judge, clips: ClipFile, subject: Subject, device: torch.device
) -> dict[str, float]:
    """The scores of one of a model's earlier states, for one seed of the sampling."""
    examined = examine(model, judge, clips, clips.split("test"), subject, device)
    scores = sampled_scores(examined, judge, seed=0)
    return {name: scores[name] for name in names("headline", "separation")}


def probe_clips(clips: ClipFile, count: int) -> Int[ndarray, " clip"]:
    """The training clips that the probes learn from: a fixed random choice."""
    return np.sort(np.random.default_rng(0).permutation(clips.split("train"))[:count])


def draw(
    model: Model,
    clips: ClipFile,
    settings: EvaluationSettings,
    device: torch.device,
    folder: Path,
    landmarks: LandmarkSignal | None = None,
) -> None:
    """The pictures of the protocol, as PNG and GIF, in a folder that is whole or not there."""
    seed = settings.sampling_seeds[0]
    chosen = varied_clips(clips, settings.picture_clips, seed)
    if isinstance(model, S3VAE):
        maker: Generating = model
        codes, margin = encode(model, clips, chosen, device), clips.frames(chosen)
    else:
        told = {name: clips.labels(name)[chosen] for name in model.categories.values}
        maker, codes = stand_in(model, told, clips.time, device)
        margin = decode(maker, codes)
    with replacing(folder) as aside:
        aside.mkdir()
        for name, grid in pictures(maker, codes, margin, seed).items():
            save_picture(grid, aside, name)
        if landmarks is not None and isinstance(model, S3VAE):
            seen = read_off(model, codes, clips, landmarks)
            whole = landmarks.whole[chosen, None, None]
            true = np.where(
                whole, landmarks.distances[chosen], np.nan
            )  # no curve where none is known
            draw_distances(aside / "distances.png", seen, true)


if __name__ == "__main__":
    keep_freed_memory()
    dataset, chosen, signal = arguments("dataset", "method", "signal")
    asked = section(EvaluationSettings, "datasets", dataset, "evaluation")
    beside = LandmarkSignal(Layout(dataset).landmarks) if signal == "landmarks" else None
    run_stage(
        f"evaluate {dataset} {chosen}", lambda: evaluate(Layout(dataset), chosen, asked, beside)
    )
