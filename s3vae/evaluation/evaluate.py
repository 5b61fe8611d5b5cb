"""The evaluation of a trained model: every score of the protocol on a split of real clips."""

import math
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int
from numpy import ndarray

from s3vae.baselines.saved import Model, load_model
from s3vae.data.clips import ClipFile, Split
from s3vae.evaluation.codes import Codes, encode, reconstruction_error
from s3vae.evaluation.continuation import continuation_scores
from s3vae.evaluation.dependence import dependence_scores
from s3vae.evaluation.distances import distance_scores, predict_distances
from s3vae.evaluation.encoded import EncodedClips, encode_clips
from s3vae.evaluation.faces import face_scores
from s3vae.evaluation.generation import generation_scores
from s3vae.evaluation.intervention import intervention_scores
from s3vae.evaluation.label_free import label_free_scores, swapped_clips
from s3vae.evaluation.metrics import names
from s3vae.evaluation.prediction_file import prediction_arrays
from s3vae.evaluation.probes import probe_scores
from s3vae.evaluation.protocol import (
    RealClips,
    Scores,
    drawn_scores,
    judge_scores,
    over_seeds,
    predict_draws,
    reconstruction_scores,
)
from s3vae.evaluation.settings import EvaluationSettings
from s3vae.judge.network import Judge
from s3vae.judge.predictions import predict_clips
from s3vae.judge.scores import accuracy
from s3vae.model.s3vae import S3VAE
from s3vae.model.saved import snapshots_of
from s3vae.progress import LOG, Progress
from s3vae.signals.landmark_file import LandmarkSignal

MAIN_SCORES = names("headline", "separation")


class InaccurateJudgeError(RuntimeError):
    """The judge errs on real clips, so its predictions for generated ones are no measure."""


def check_judge(real: RealClips, least: float) -> None:
    """Raise InaccurateJudgeError if the accuracy of a factor on real clips is below `least`."""
    accuracies = {
        factor.name: accuracy(real.predictions[factor.name], real.labels[factor.name])
        for factor in real.factors
    }
    failed = [f"{name} {value:.2%}" for name, value in accuracies.items() if not value >= least]
    if failed:
        msg = (
            f"the judge needs an accuracy of {least:.2%} on real clips, but has: "
            f"{', '.join(failed)}. Nothing is judged; increase `judge.training.steps` and "
            "`judge.patience` in its config"
        )
        raise InaccurateJudgeError(msg)


def real_clips(
    judge: Judge,
    clips: ClipFile,
    settings: EvaluationSettings,
    device: torch.device,
    split: Split = "test",
) -> RealClips:
    """Return the real clips of a split. Raises InaccurateJudgeError if the judge errs on them."""
    rows = clips.split(split)
    labels = {factor.name: clips.labels(factor.name)[rows] for factor in clips.factors}
    real = RealClips(clips.factors, labels, predict_clips(judge, clips, rows, device))
    check_judge(real, settings.least_judge_accuracy)
    return real


def judged_clips(
    judge: Judge,
    clips: ClipFile,
    settings: EvaluationSettings,
    device: torch.device,
    split: Split = "test",
) -> tuple[RealClips | None, str]:
    """Return the real clips of a split, or None and the reason, logged, why nothing is judged."""
    reason = "the clips have no labels"
    if clips.factors:
        try:
            return real_clips(judge, clips, settings, device, split), ""
        except InaccurateJudgeError as error:
            reason = str(error)
    LOG.warning("nothing is judged: %s", reason)
    return None, reason


def score(
    model: Model,
    judge: Judge,
    clips: ClipFile,
    real: RealClips | None,
    settings: EvaluationSettings,
    device: torch.device,
    landmarks: LandmarkSignal | None = None,
    split: Split = "test",
) -> tuple[dict[str, float | None], dict[str, ndarray]]:
    """Return every score of the protocol, None where undefined, and the judge's predictions.

    Without real clips, nothing is judged. With landmarks, faces are scored too.
    """
    rows = clips.split(split)
    scores: Scores = {}
    predictions: dict[str, ndarray] = {}
    codes = None
    if real is not None:
        encoded = encode_clips(model, judge, clips, rows, real, device)
        scores, predictions = judged_scores(encoded, judge, settings)
        scores |= judge_scores(real)
        scores |= generation_scores(model, judge, clips, rows, settings.sampling_seeds, device)
        if isinstance(model, S3VAE):
            scores |= reconstruction_scores(encoded.real, encoded.reconstruction)
        codes = encoded.codes
    if isinstance(model, S3VAE):
        if codes is None:
            codes = encode(model, clips, rows, device)
        scores |= code_scores(model, codes, clips, rows, settings, device, landmarks)
        seed = settings.sampling_seeds[0]
        scores |= continuation_scores(model, judge, clips, rows, real, seed, device)
    defined = {name: value if math.isfinite(value) else None for name, value in scores.items()}
    return defined, predictions


def judged_scores(
    encoded: EncodedClips, judge: Judge, settings: EvaluationSettings
) -> tuple[Scores, dict[str, ndarray]]:
    """Return the scores with codes drawn or swapped, and the judge's predictions."""
    draws = {}
    with Progress("evaluate", len(settings.sampling_seeds), "sampling seeds") as progress:
        for seed in settings.sampling_seeds:
            draws[seed] = predict_draws(encoded.generator, judge, encoded.codes, seed)
            progress.advance()
    scores = over_seeds(
        [
            drawn_scores(encoded.real, each) | intervention_scores(encoded.real, each)
            for each in draws.values()
        ]
    )
    return scores, prediction_arrays(encoded.real, encoded.reconstruction, draws)


def code_scores(
    model: S3VAE,
    codes: Codes,
    clips: ClipFile,
    rows: Int[ndarray, " clip"],
    settings: EvaluationSettings,
    device: torch.device,
    landmarks: LandmarkSignal | None,
) -> Scores:
    """Return the scores that need an encoder but no judge; those of faces if clips show faces."""
    order = np.random.default_rng(0).permutation(clips.split("train"))
    train = np.sort(order[: settings.probe_clips])
    train_labels, labels = (
        {factor.name: clips.labels(factor.name)[chosen] for factor in clips.factors}
        for chosen in (train, rows)
    )
    scores = {
        "reconstruction_error": reconstruction_error(model, codes, clips, rows),
        **dependence_scores(model, clips, rows, device),
        **probe_scores(
            encode(model, clips, train, device), train_labels, codes, labels, clips.factors
        ),
    }
    if landmarks is not None:
        predicted = predict_distances(model, codes, clips, landmarks)
        scores |= distance_scores(predicted, landmarks, rows)
    if len(rows) > 1:  # a swap needs two clips
        frames = swapped_clips(model, codes, clips, rows)
        scores |= label_free_scores(frames)
        of_faces = landmarks is not None or clips.parameters.get("crop") == "face"
        scores |= face_scores(frames) if of_faces else {}
    return scores


def learning_curve(
    folder: Path, judge: Judge, clips: ClipFile, real: RealClips, device: torch.device
) -> list[Scores]:
    """Return `step` and the main scores on the test split, for one sampling seed, by snapshot."""
    curve = []
    for step, path in snapshots_of(folder).items():
        model, rows = load_model(path, device), clips.split("test")
        encoded = encode_clips(model, judge, clips, rows, real, device)
        draws = predict_draws(encoded.generator, judge, encoded.codes, seed=0)
        scores = drawn_scores(encoded.real, draws)
        curve.append({"step": step} | {name: scores[name] for name in MAIN_SCORES})
    return curve
