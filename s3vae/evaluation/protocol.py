"""The protocol: the paper's headline row and the leak tests that it leaves out (docs/protocol.md).

Every code path loops over the factors that the clip file declares. Where a file has several factors
of a kind, a score is the mean over them, but accuracy and agreement of the headline row ask for all
at once; where it has none of a kind, what judges them is not a number. Fractions and nats.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from s3vae.data.clips import Factor
from s3vae.evaluation.codes import Codes, Generating, donors, judge_codes
from s3vae.judge.network import Judge
from s3vae.judge.predictions import Judged
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
class Subject:
    """Test clips under judgement: their factors, and what the judge says of the real ones."""

    factors: Sequence[Factor]
    labels: Mapping[str, Int[ndarray, " clip"]]
    on_real: Judged
    classes: Mapping[str, Int[ndarray, " clip"]] | None = None
    """What balanced subsets are chosen by; `labels` if None."""

    def of_kind(self, kind: str) -> list[str]:
        """The names of the static or of the dynamic factors."""
        return [factor.name for factor in self.factors if factor.kind == kind]

    @property
    def headline_kind(self) -> str:
        """The kind of factor that the headline row judges: dynamic, if any is declared."""
        return "dynamic" if self.of_kind("dynamic") else "static"

    def accuracies(
        self, judged: Judged, kind: str, of: Int[ndarray, " clip"] | None = None
    ) -> Scores:
        """By factor, the share of clips judged to have the value of the clip (or of `of[i]`)."""
        rows = slice(None) if of is None else of
        return {
            name: accuracy(judged[name], self.labels[name][rows]) for name in self.of_kind(kind)
        }

    def mean(self, judged: Judged, kind: str, score: Score) -> float:
        """A score of the judge's answers on a class-balanced subset, mean over the factors."""
        classes = self.classes or self.labels
        chosen = {name: balanced(classes[name]) for name in self.of_kind(kind)}
        return mean_of({name: score(judged[name][rows]) for name, rows in chosen.items()})

    def chance(self, kind: str) -> float:
        """The accuracy of a guess: one over the number of values, mean over the factors."""
        return mean_of({f.name: 1 / len(f.values) for f in self.factors if f.kind == kind})


def on_real_clips(subject: Subject) -> Scores:
    """The judge on the real test clips: the floor of every entropy, the ceiling of every score."""
    real = subject.on_real
    return {
        "judge_accuracy": min(
            (
                right
                for kind in ("static", "dynamic")
                for right in subject.accuracies(real, kind).values()
            ),
            default=float("nan"),
        ),
        "judge_inception_score": subject.mean(real, subject.headline_kind, inception_score),
        "judge_h_y_given_x": subject.mean(real, subject.headline_kind, conditional_entropy),
        "static_chance": subject.chance("static"),
        "dynamic_chance": subject.chance("dynamic"),
    }


def headline(subject: Subject, judged: Judged, kind: str) -> Scores:
    """The paper's row: whether the factors of the code that is the clip's are seen, and surely.

    A clip is right if all of them are. Without a label nothing is: all are not a number.
    """
    names = subject.of_kind(kind)
    if not names:
        undefined = "accuracy", "agreement", "inception_score", "h_y_given_x", "h_y"
        return dict.fromkeys(undefined, float("nan"))
    said = np.stack([judged[name].argmax(1) for name in names])
    true = np.stack([subject.labels[name] for name in names])
    real = np.stack([subject.on_real[name].argmax(1) for name in names])
    return {
        "accuracy": float((said == true).all(axis=0).mean()),
        "agreement": float((said == real).all(axis=0).mean()),
        "inception_score": subject.mean(judged, kind, inception_score),
        "h_y_given_x": subject.mean(judged, kind, conditional_entropy),
        "h_y": subject.mean(judged, kind, marginal_entropy),
    }


def draw_appearance(subject: Subject, judged: Judged) -> Scores:
    """z_t of the clip, z_f drawn: the headline row, and what of the appearance leaked into z_t."""
    leaks = subject.accuracies(judged, "static")
    return {
        **(headline(subject, judged, "dynamic") if subject.headline_kind == "dynamic" else {}),
        "static_leakage": mean_of(leaks),
        "static_h_y": subject.mean(judged, "static", marginal_entropy),
        **{f"leakage_{name}": value for name, value in leaks.items()},
    }


def draw_motion(subject: Subject, judged: Judged) -> Scores:
    """z_f of the clip, z_t drawn: whether the appearance stays and the motion is new and real.

    Where no dynamic factor is declared, this is the headline row.
    """
    kept = subject.accuracies(judged, "static")
    return {
        **(headline(subject, judged, "static") if subject.headline_kind == "static" else {}),
        "static_preserved": mean_of(kept),
        "dynamic_leakage": mean_of(subject.accuracies(judged, "dynamic")),
        "drawn_h_y": subject.mean(judged, "dynamic", marginal_entropy),
        "drawn_h_y_given_x": subject.mean(judged, "dynamic", conditional_entropy),
        **{f"preserved_{name}": value for name, value in kept.items()},
    }


def swapped(subject: Subject, judged: Judged, motion_of: Int[ndarray, " clip"]) -> Scores:
    """z_f of one clip, z_t of another: each factor must come from the clip whose code tells it."""
    return {
        "swap_dynamic": mean_of(subject.accuracies(judged, "dynamic", motion_of)),
        "swap_static": mean_of(subject.accuracies(judged, "static")),
    }


class Draws(NamedTuple):
    """What the judge says where codes were drawn or exchanged, for one seed of the sampling."""

    appearance: Judged
    """z_t of the clip, z_f drawn."""
    motion: Judged
    """z_f of the clip, z_t drawn."""
    swap: Judged
    """z_f of the clip, z_t of its donor."""
    motion_of: Int[ndarray, " clip"]
    """The donors."""


def draw_and_judge(model: Generating, judge: Judge, codes: Codes, seed: int) -> Draws:
    """Each of the clips with either code drawn, and with the motion of another clip."""
    device = codes.static.device
    motion_of = donors(len(codes.static), seed)
    drawn_static = codes.draw_static(model, generator_at(device, seed, 0))
    drawn_dynamic = codes.draw_dynamic(model, generator_at(device, seed, 1))
    return Draws(
        judge_codes(model, judge, drawn_static),
        judge_codes(model, judge, drawn_dynamic),
        judge_codes(model, judge, codes.swap(motion_of)),
        motion_of,
    )


def drawn_scores(subject: Subject, draws: Draws) -> Scores:
    """Everything that depends on a draw, for one seed of the sampling."""
    return {
        **draw_appearance(subject, draws.appearance),
        **draw_motion(subject, draws.motion),
        **swapped(subject, draws.swap, draws.motion_of),
    }


def over_seeds(rows: Sequence[Scores]) -> Scores:
    """The mean of every score over the sampling seeds, and beside it its spread (`_std`)."""
    return {
        key: value
        for name in rows[0]
        for key, value in (
            (name, float(np.mean([row[name] for row in rows]))),
            (f"{name}_std", float(np.std([row[name] for row in rows]))),
        )
    }


def reconstruction_scores(subject: Subject, judged: Judged) -> Scores:
    """The judge on clips decoded from their own two codes."""
    return {
        "reconstructed_static": mean_of(subject.accuracies(judged, "static")),
        "reconstructed_dynamic": mean_of(subject.accuracies(judged, "dynamic")),
    }
