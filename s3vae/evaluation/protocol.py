"""The protocol: the paper's headline row and the separation tests it omits (docs/protocol.md).

Every score loops over the factors that the clip file declares. A score is the mean over the factors
of a kind, except accuracy and agreement of the headline, which require all of them at once. It is
NaN if no factor of its kind is declared. Scores are fractions and nats.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from s3vae.data.clips import Factor
from s3vae.evaluation.codes import ClipGenerator, Codes, donors, predict_codes
from s3vae.judge.network import Judge
from s3vae.judge.predictions import Predictions
from s3vae.judge.scores import (
    accuracy,
    balanced,
    conditional_entropy,
    inception_score,
    marginal_entropy,
    mean_of,
)
from s3vae.runtime import generator_at

Scores = dict[str, float]
Score = Callable[[ndarray], float]


@dataclass(frozen=True)
class RealClips:
    """The real clips of a test set: factors, labels and the judge's predictions."""

    factors: Sequence[Factor]
    labels: Mapping[str, Int[ndarray, " clip"]]
    predictions: Predictions
    classes: Mapping[str, Int[ndarray, " clip"]] | None = None
    """The classes of balanced subsets; `labels` if None."""

    def of_kind(self, kind: str) -> list[str]:
        """Return the names of the static or of the dynamic factors."""
        return [factor.name for factor in self.factors if factor.kind == kind]

    @property
    def headline_kind(self) -> str:
        """The kind of factor that the headline row scores: dynamic, if any is declared."""
        return "dynamic" if self.of_kind("dynamic") else "static"

    def accuracies(
        self, predictions: Predictions, kind: str, of: Int[ndarray, " clip"] | None = None
    ) -> Scores:
        """Return by factor the share of clips with the label of the clip, or of clip `of`."""
        rows = slice(None) if of is None else of
        return {
            name: accuracy(predictions[name], self.labels[name][rows])
            for name in self.of_kind(kind)
        }

    def mean(self, predictions: Predictions, kind: str, score: Score) -> float:
        """Return the mean over factors of a score on class-balanced subsets."""
        classes = self.classes or self.labels
        chosen = {name: balanced(classes[name]) for name in self.of_kind(kind)}
        return mean_of({name: score(predictions[name][rows]) for name, rows in chosen.items()})

    def chance(self, kind: str) -> float:
        """Return the accuracy of a guess: one over the number of values, mean over factors."""
        return mean_of({f.name: 1 / len(f.values) for f in self.factors if f.kind == kind})


def judge_scores(real: RealClips) -> Scores:
    """Return the judge's scores on the real clips, and chance."""
    predictions, kind = real.predictions, real.headline_kind
    accuracies = real.accuracies(predictions, "static") | real.accuracies(predictions, "dynamic")
    return {
        "judge_accuracy": min(accuracies.values(), default=float("nan")),
        "judge_inception_score": real.mean(predictions, kind, inception_score),
        "judge_h_y_given_x": real.mean(predictions, kind, conditional_entropy),
        "static_chance": real.chance("static"),
        "dynamic_chance": real.chance("dynamic"),
    }


def headline(real: RealClips, predictions: Predictions, kind: str) -> Scores:
    """Return the paper's row for the factors of the code that was not drawn.

    A clip counts as correct if all factors are. Without a factor of this kind all scores are NaN.
    """
    factors = real.of_kind(kind)
    if not factors:
        undefined = "accuracy", "agreement", "inception_score", "h_y_given_x", "h_y"
        return dict.fromkeys(undefined, float("nan"))
    predicted = np.stack([predictions[name].argmax(1) for name in factors])
    labels = np.stack([real.labels[name] for name in factors])
    of_real = np.stack([real.predictions[name].argmax(1) for name in factors])
    return {
        "accuracy": float((predicted == labels).all(axis=0).mean()),
        "agreement": float((predicted == of_real).all(axis=0).mean()),
        "inception_score": real.mean(predictions, kind, inception_score),
        "h_y_given_x": real.mean(predictions, kind, conditional_entropy),
        "h_y": real.mean(predictions, kind, marginal_entropy),
    }


def drawn_appearance_scores(real: RealClips, predictions: Predictions) -> Scores:
    """Return the headline row and static leakage for z_t of the clip with z_f drawn."""
    leakage = real.accuracies(predictions, "static")
    return {
        **(headline(real, predictions, "dynamic") if real.headline_kind == "dynamic" else {}),
        "static_leakage": mean_of(leakage),
        "static_h_y": real.mean(predictions, "static", marginal_entropy),
        **{f"leakage_{name}": value for name, value in leakage.items()},
    }


def drawn_motion_scores(real: RealClips, predictions: Predictions) -> Scores:
    """Return static preservation and scores of the motion for z_f of the clip with z_t drawn.

    Without a dynamic factor, this is the headline row.
    """
    preserved = real.accuracies(predictions, "static")
    return {
        **(headline(real, predictions, "static") if real.headline_kind == "static" else {}),
        "static_preserved": mean_of(preserved),
        "dynamic_leakage": mean_of(real.accuracies(predictions, "dynamic")),
        "drawn_h_y": real.mean(predictions, "dynamic", marginal_entropy),
        "drawn_h_y_given_x": real.mean(predictions, "dynamic", conditional_entropy),
        **{f"preserved_{name}": value for name, value in preserved.items()},
    }


class Draws(NamedTuple):
    """The judge's predictions with codes drawn or swapped, for one sampling seed."""

    appearance: Predictions
    """z_t of the clip, z_f drawn."""
    motion: Predictions
    """z_f of the clip, z_t drawn."""
    swap: Predictions
    """z_f of the clip, z_t of its donor."""
    donors: Int[ndarray, " clip"]


def predict_draws(model: ClipGenerator, judge: Judge, codes: Codes, seed: int) -> Draws:
    """Predict each clip with either code drawn, and with the motion of another clip."""
    device = codes.static.device
    donated = donors(len(codes.static), seed)
    drawn_static = codes.draw_static(model, generator_at(device, seed, 0))
    drawn_dynamic = codes.draw_dynamic(model, generator_at(device, seed, 1))
    return Draws(
        predict_codes(model, judge, drawn_static),
        predict_codes(model, judge, drawn_dynamic),
        predict_codes(model, judge, codes.swap(donated)),
        donated,
    )


def drawn_scores(real: RealClips, draws: Draws) -> Scores:
    """Return every score that depends on a draw, for one sampling seed.

    A swap should have the dynamic factors of the clip's donor and the static ones of the clip.
    """
    return {
        **drawn_appearance_scores(real, draws.appearance),
        **drawn_motion_scores(real, draws.motion),
        "swap_dynamic": mean_of(real.accuracies(draws.swap, "dynamic", draws.donors)),
        "swap_static": mean_of(real.accuracies(draws.swap, "static")),
    }


def over_seeds(rows: Sequence[Scores]) -> Scores:
    """Return the mean of every score over the sampling seeds, and its deviation as `_std`."""
    return {
        key: value
        for name in rows[0]
        for key, value in (
            (name, float(np.mean([row[name] for row in rows]))),
            (f"{name}_std", float(np.std([row[name] for row in rows]))),
        )
    }


def reconstruction_scores(real: RealClips, predictions: Predictions) -> Scores:
    """Return the accuracy of each kind of factor for clips decoded from their own codes."""
    return {
        "reconstructed_static": mean_of(real.accuracies(predictions, "static")),
        "reconstructed_dynamic": mean_of(real.accuracies(predictions, "dynamic")),
    }
