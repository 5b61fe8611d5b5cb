"""The protocol on models with known behaviour, correct and degenerate."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from s3vae.data.clips import Factor
from s3vae.evaluation.codes import Codes, donors, predict_codes
from s3vae.evaluation.intervention import intervention_scores
from s3vae.evaluation.protocol import (
    Draws,
    RealClips,
    drawn_scores,
    headline,
    judge_scores,
    over_seeds,
    predict_draws,
    reconstruction_scores,
)
from s3vae.judge.network import Judge
from s3vae.judge.scores import mean_of
from s3vae.model.architecture import Architecture
from s3vae.model.prior import DynamicPrior
from s3vae.model.s3vae import S3VAE

COLOURS, MOTIONS, EACH, TIME = 4, 5, 40, 2
FACTORS = (Factor("colour", "static", tuple("abcd")), Factor("motion", "dynamic", tuple("vwxyz")))
COLOUR, MOTION = np.indices((COLOURS, MOTIONS, EACH)).reshape(3, -1)[:2]
BY_CHANCE = 0.06
ScoresOf = Callable[..., dict[str, float]]


class Coloured(S3VAE):
    """A disentangled model whose `decode` writes colour and motion into two pixels.

    z_f is the colour as a quantile of N(0, 1). z_t is the motion and the colour, which this decoder
    ignores. The prior draws any motion and any colour.
    """

    def __init__(self, tiny: Architecture) -> None:
        super().__init__(tiny)
        self.prior = AnyMotion(tiny.dynamic, tiny.recurrent)

    def decode(self, static: Tensor, dynamic: Tensor) -> Tensor:
        return written(of_quantile(static), dynamic[:, :, 0])


class IgnoresStatic(Coloured):
    """A degenerate model that decodes the colour from z_t."""

    def decode(self, static: Tensor, dynamic: Tensor) -> Tensor:
        return written(dynamic[:, 0, 1], dynamic[:, :, 0])


class IgnoresDynamic(Coloured):
    """A degenerate model that decodes the motion from z_f."""

    def decode(self, static: Tensor, dynamic: Tensor) -> Tensor:
        motion = (static[:, 1] * MOTIONS).floor().clamp(0, MOTIONS - 1)
        return written(of_quantile(static), motion[:, None].expand(-1, TIME))


class AnyMotion(DynamicPrior):
    """A uniform prior over motions and colours."""

    def sample(self, batch: int, time: int, generator: Generator) -> Tensor:
        draws = torch.rand(batch, 1, 2, generator=generator)
        return (draws * torch.tensor([MOTIONS, COLOURS])).floor().expand(-1, time, -1)


class Reader(Judge):
    """A judge that reads the two pixels with certainty."""

    def probabilities(self, video: Tensor) -> dict[str, Tensor]:
        colour, motion = video[:, 0, 0, 0].long().unbind(-1)
        predictions = {"colour": torch.eye(COLOURS)[colour], "motion": torch.eye(MOTIONS)[motion]}
        return {name: each.double() for name, each in predictions.items()}


def of_quantile(static: Tensor) -> Tensor:
    """Return the colour of a standard normal code; all colours are equally likely."""
    share: Tensor = torch.special.ndtr(static[:, 0])
    return (share * COLOURS).floor().clamp(0, COLOURS - 1)


def written(colour: Tensor, motion: Tensor) -> Tensor:
    """Return videos of two pixels."""
    return torch.stack([colour[:, None].expand(motion.shape), motion], dim=-1)[:, :, None, None]


@pytest.fixture
def codes() -> Codes:
    """Return codes where z_f also contains the motion and z_t the colour."""
    colour, motion = torch.from_numpy(COLOUR), torch.from_numpy(MOTION)
    quantile = torch.special.ndtri((colour + 0.5) / COLOURS)
    return Codes(
        torch.stack([quantile, (motion + 0.5) / MOTIONS], dim=-1).float(),
        torch.stack([motion, colour], dim=-1).float()[:, None].expand(-1, TIME, -1),
    )


@pytest.fixture
def real() -> RealClips:
    predictions = {"colour": np.eye(COLOURS)[COLOUR], "motion": np.eye(MOTIONS)[MOTION]}
    return RealClips(FACTORS, {"colour": COLOUR, "motion": MOTION}, predictions)


@pytest.fixture
def judge() -> Judge:
    return Reader({"colour": COLOURS, "motion": MOTIONS}, channels=1, width=1)


@pytest.fixture
def scores_of(tiny: Architecture, judge: Judge, codes: Codes) -> ScoresOf:
    """Return a function of a kind of model, real clips and a seed to every drawn score."""

    def scores(kind: type[Coloured], real: RealClips, seed: int = 0) -> dict[str, float]:
        draws = predict_draws(kind(tiny), judge, codes, seed)
        return drawn_scores(real, draws) | intervention_scores(real, draws)

    return scores


HEADLINE = {"accuracy": 1, "inception_score": MOTIONS, "h_y_given_x": 0, "h_y": math.log(MOTIONS)}


def test_a_disentangled_model_passes_every_test(scores_of: ScoresOf, real: RealClips) -> None:
    scores = scores_of(Coloured, real)
    for name, value in HEADLINE.items():
        assert scores[name] == pytest.approx(value)
    assert scores["static_leakage"] == pytest.approx(1 / COLOURS, abs=BY_CHANCE)
    assert scores["static_h_y"] == pytest.approx(math.log(COLOURS), abs=0.02)
    assert scores["static_preserved"] == 1
    assert scores["dynamic_leakage"] == pytest.approx(1 / MOTIONS, abs=BY_CHANCE)
    assert scores["drawn_h_y"] == pytest.approx(math.log(MOTIONS), abs=0.02)
    assert scores["drawn_h_y_given_x"] == 0
    assert (scores["swap_dynamic"], scores["swap_static"]) == (1, 1)
    for name in ("sample_score", "swap_score"):
        assert scores[name] == pytest.approx(1, abs=BY_CHANCE)


def test_a_decoder_that_ignores_both_changes_has_the_floor_of_the_intervention_scores(
    real: RealClips,
) -> None:
    unchanged = real.predictions
    donated = donors(len(COLOUR), seed=0)
    draws = Draws(unchanged, unchanged, unchanged, donated)
    scores = intervention_scores(real, draws)
    floor = 1 / 2 + (1 / COLOURS + 1 / MOTIONS) / 4
    assert scores["intervention_floor"] == pytest.approx(floor)
    assert scores["sample_score"] == pytest.approx(floor)


def test_a_decoder_that_ignores_z_f_has_a_perfect_headline_and_fails_the_separation_tests(
    scores_of: ScoresOf, real: RealClips
) -> None:
    """The published protocol gives accuracy 100 % and a full inception score without z_f."""
    scores = scores_of(IgnoresStatic, real)
    for name, value in HEADLINE.items():
        assert scores[name] == pytest.approx(value)
    assert scores["static_leakage"] == 1
    for name in ("static_preserved", "swap_static"):
        assert scores[name] == pytest.approx(1 / COLOURS, abs=BY_CHANCE)


def test_a_decoder_that_ignores_z_t_fails_headline_and_swap(
    scores_of: ScoresOf, real: RealClips
) -> None:
    """Its swaps are correct only if the donor has the same motion."""
    scores = scores_of(IgnoresDynamic, real, seed=3)
    assert scores["accuracy"] == pytest.approx(1 / MOTIONS, abs=BY_CHANCE)
    assert scores["dynamic_leakage"] == 1
    same_motion = np.mean(MOTION[donors(len(MOTION), 3)] == MOTION)
    assert scores["swap_dynamic"] == pytest.approx(same_motion)
    assert (scores["static_preserved"], scores["swap_static"]) == (1, 1)


def test_scores_depend_on_the_seed_alone(scores_of: ScoresOf, real: RealClips) -> None:
    first, again, other = (scores_of(Coloured, real, seed) for seed in (0, 0, 1))
    assert first == again
    assert first["static_leakage"] != other["static_leakage"]


@pytest.mark.parametrize("kind", [Coloured, IgnoresStatic, IgnoresDynamic])
def test_reconstructions_are_scored_by_both_kinds_of_factors(
    kind: type[Coloured], tiny: Architecture, judge: Judge, codes: Codes, real: RealClips
) -> None:
    scores = reconstruction_scores(real, predict_codes(kind(tiny), judge, codes))
    assert scores == {"reconstructed_static": 1, "reconstructed_dynamic": 1}


def test_the_judge_is_scored_by_its_worst_factor_beside_chance(real: RealClips) -> None:
    uniform = np.full((len(MOTION), MOTIONS), 1 / MOTIONS)
    predictions = {**real.predictions, "motion": uniform}
    assert judge_scores(real)["judge_accuracy"] == 1
    assert judge_scores(RealClips(FACTORS, real.labels, predictions)) == pytest.approx(
        {
            "judge_accuracy": 1 / MOTIONS,
            "judge_inception_score": 1,
            "judge_h_y_given_x": math.log(MOTIONS),
            "static_chance": 1 / COLOURS,
            "dynamic_chance": 1 / MOTIONS,
        }
    )


def test_of_several_factors_of_a_kind_the_scores_are_means() -> None:
    factors = (*FACTORS, Factor("size", "static", ("s", "l")))
    size = np.arange(len(COLOUR)) % 2
    labels = {"colour": COLOUR, "motion": MOTION, "size": size}
    real = RealClips(factors, labels, {})
    assert real.chance("static") == pytest.approx((1 / 4 + 1 / 2) / 2)
    predictions = {"colour": np.eye(COLOURS)[COLOUR], "size": np.eye(2)[1 - size]}
    assert real.accuracies(predictions, "static") == {"colour": 1, "size": 0}


def test_without_a_dynamic_factor_the_headline_scores_the_static_ones(
    scores_of: ScoresOf, real: RealClips
) -> None:
    """For example moving digits, whose motions have no labels: z_f of the clip, z_t drawn."""
    only = RealClips(FACTORS[:1], {"colour": COLOUR}, {"colour": real.predictions["colour"]})
    scores = scores_of(Coloured, only)
    assert (scores["accuracy"], scores["static_preserved"], scores["swap_static"]) == (1, 1, 1)
    assert scores["inception_score"] == pytest.approx(COLOURS)
    degenerate = scores_of(IgnoresStatic, only)
    assert degenerate["accuracy"] == pytest.approx(1 / COLOURS, abs=BY_CHANCE)
    for name in ("swap_dynamic", "dynamic_leakage", "drawn_h_y"):
        assert math.isnan(scores[name])
    assert judge_scores(only)["judge_inception_score"] == pytest.approx(COLOURS)


def test_a_clip_is_correct_in_the_headline_only_if_all_its_factors_are() -> None:
    labels = {"smaller": np.array([0, 1, 0, 1]), "larger": np.array([1, 1, 1, 1])}
    factors = tuple(Factor(name, "static", ("0", "1")) for name in labels)
    predictions = {"smaller": np.eye(2)[[0, 1, 1, 1]], "larger": np.eye(2)[[1, 0, 1, 1]]}
    certain = {name: np.eye(2)[each] for name, each in labels.items()}
    real = RealClips(factors, labels, certain)
    scores = headline(real, predictions, "static")
    assert (scores["accuracy"], scores["agreement"]) == (0.5, 0.5)
    assert mean_of(real.accuracies(predictions, "static")) == 0.75


def test_entropies_are_computed_on_class_balanced_subsets() -> None:
    motion = np.repeat(np.arange(MOTIONS), [90, 5, 30, 7, 11])
    predictions = {"motion": np.eye(MOTIONS)[motion]}
    real = RealClips(FACTORS[1:], {"motion": motion}, predictions)
    assert real.mean(predictions, "dynamic", lambda chosen: float(len(chosen))) == 5 * MOTIONS


def test_over_seeds_every_score_has_its_mean_and_deviation() -> None:
    rows = [{"accuracy": value, "h_y": 2.0} for value in (0.2, 0.4, 0.9)]
    assert over_seeds(rows) == {
        "accuracy": pytest.approx(0.5),
        "accuracy_std": pytest.approx(np.std([0.2, 0.4, 0.9])),
        "h_y": 2,
        "h_y_std": 0,
    }
