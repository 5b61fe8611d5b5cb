"""The protocol, on models of which it is known what they do: honest ones and cheats."""

import math

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from s3vae.data.clips import Factor
from s3vae.evaluation.codes import Codes, donors, judge_codes
from s3vae.evaluation.protocol import (
    Subject,
    draw_and_judge,
    drawn_scores,
    headline,
    on_real_clips,
    over_seeds,
    reconstruction_scores,
)
from s3vae.judge.network import Judge
from s3vae.judge.scores import mean_of
from s3vae.model.architecture import Architecture
from s3vae.model.prior import DynamicPrior
from s3vae.model.s3vae import S3VAE

COLOURS, MOTIONS, EACH, TIME = 4, 5, 40, 2
FACTORS = (
    Factor("colour", "static", tuple("abcd")),
    Factor("motion", "dynamic", tuple("vwxyz")),
)
COLOUR, MOTION = np.indices((COLOURS, MOTIONS, EACH)).reshape(3, -1)[:2]
BY_CHANCE = 0.06


class Coloured(S3VAE):
    """Codes are numbers that say colour and motion; `decode` writes them into two pixels.

    z_f: the colour, as the quantile of N(0, 1) that it is. z_t: the motion, and the colour, which
    an honest decoder does not look at. The prior draws any motion and any colour.
    """

    def __init__(self, tiny: Architecture) -> None:
        super().__init__(tiny)
        self.prior = AnyMotion(tiny.dynamic, tiny.recurrent)

    def decode(self, static: Tensor, dynamic: Tensor) -> Tensor:
        return written(of_quantile(static), dynamic[:, :, 0])


class IgnoresStatic(Coloured):
    """The cheat: its decoder ignores z_f and takes the colour, too, from z_t."""

    def decode(self, static: Tensor, dynamic: Tensor) -> Tensor:
        return written(dynamic[:, 0, 1], dynamic[:, :, 0])


class IgnoresDynamic(Coloured):
    """The other cheat: z_f tells it the motion as well, and z_t nothing."""

    def decode(self, static: Tensor, dynamic: Tensor) -> Tensor:
        motion = (static[:, 1] * MOTIONS).floor().clamp(0, MOTIONS - 1)
        return written(of_quantile(static), motion[:, None].expand(-1, TIME))


class AnyMotion(DynamicPrior):
    """Motions and colours, each as likely."""

    def sample(self, batch: int, time: int, generator: Generator) -> Tensor:
        draws = torch.rand(batch, 1, 2, generator=generator)
        return (draws * torch.tensor([MOTIONS, COLOURS])).floor().expand(-1, time, -1)


class Reader(Judge):
    """A judge that reads the two pixels, and is sure."""

    def probabilities(self, video: Tensor) -> dict[str, Tensor]:
        colour, motion = video[:, 0, 0, 0].long().unbind(-1)
        answers = {"colour": torch.eye(COLOURS)[colour], "motion": torch.eye(MOTIONS)[motion]}
        return {name: answer.double() for name, answer in answers.items()}


def of_quantile(static: Tensor) -> Tensor:
    """The colour that a standard normal number stands for: each is as likely."""
    share: Tensor = torch.special.ndtr(static[:, 0])
    return (share * COLOURS).floor().clamp(0, COLOURS - 1)


def written(colour: Tensor, motion: Tensor) -> Tensor:
    """A video of two pixels."""
    return torch.stack([colour[:, None].expand(motion.shape), motion], dim=-1)[:, :, None, None]


@pytest.fixture
def codes() -> Codes:
    """What encoders make of the clips: z_f also holds the motion, z_t also the colour."""
    colour, motion = torch.from_numpy(COLOUR), torch.from_numpy(MOTION)
    quantile = torch.special.ndtri((colour + 0.5) / COLOURS)
    return Codes(
        torch.stack([quantile, (motion + 0.5) / MOTIONS], dim=-1).float(),
        torch.stack([motion, colour], dim=-1).float()[:, None].expand(-1, TIME, -1),
    )


@pytest.fixture
def subject() -> Subject:
    real = {"colour": np.eye(COLOURS)[COLOUR], "motion": np.eye(MOTIONS)[MOTION]}
    return Subject(FACTORS, {"colour": COLOUR, "motion": MOTION}, real)


@pytest.fixture
def judge() -> Judge:
    return Reader({"colour": COLOURS, "motion": MOTIONS}, channels=1, width=1)


def sampled_scores(
    model: S3VAE, judge: Judge, codes: Codes, subject: Subject, seed: int
) -> dict[str, float]:
    """Everything that depends on a draw."""
    return drawn_scores(subject, draw_and_judge(model, judge, codes, seed))


HEADLINE = {"accuracy": 1, "inception_score": MOTIONS, "h_y_given_x": 0, "h_y": math.log(MOTIONS)}


def test_a_model_that_keeps_its_codes_apart_passes_every_test(
    tiny: Architecture, judge: Judge, codes: Codes, subject: Subject
) -> None:
    scores = sampled_scores(Coloured(tiny), judge, codes, subject, seed=0)
    for name, value in HEADLINE.items():
        assert scores[name] == pytest.approx(value)
    assert scores["static_leakage"] == pytest.approx(1 / COLOURS, abs=BY_CHANCE)
    assert scores["static_h_y"] == pytest.approx(math.log(COLOURS), abs=0.02)
    assert scores["static_preserved"] == 1
    assert scores["dynamic_leakage"] == pytest.approx(1 / MOTIONS, abs=BY_CHANCE)
    assert scores["drawn_h_y"] == pytest.approx(math.log(MOTIONS), abs=0.02)
    assert scores["drawn_h_y_given_x"] == 0
    assert (scores["swap_dynamic"], scores["swap_static"]) == (1, 1)


def test_a_decoder_that_ignores_z_f_has_a_perfect_headline_and_is_found_by_the_leak_tests(
    tiny: Architecture, judge: Judge, codes: Codes, subject: Subject
) -> None:
    """The hole in the published protocol: accuracy 100 %, a full inception score, and no z_f."""
    scores = sampled_scores(IgnoresStatic(tiny), judge, codes, subject, seed=0)
    for name, value in HEADLINE.items():
        assert scores[name] == pytest.approx(value)
    assert scores["static_leakage"] == 1
    assert scores["static_preserved"] == pytest.approx(1 / COLOURS, abs=BY_CHANCE)
    assert scores["swap_static"] == pytest.approx(1 / COLOURS, abs=BY_CHANCE)


def test_a_decoder_that_ignores_z_t_is_found_by_headline_and_swap(
    tiny: Architecture, judge: Judge, codes: Codes, subject: Subject
) -> None:
    scores = sampled_scores(IgnoresDynamic(tiny), judge, codes, subject, seed=0)
    assert scores["accuracy"] == pytest.approx(1 / MOTIONS, abs=BY_CHANCE)
    assert scores["dynamic_leakage"] == 1
    assert scores["swap_dynamic"] == pytest.approx(1 / MOTIONS, abs=BY_CHANCE)
    assert (scores["static_preserved"], scores["swap_static"]) == (1, 1)


def test_a_swap_is_judged_by_the_motion_of_the_donor(
    tiny: Architecture, judge: Judge, codes: Codes, subject: Subject
) -> None:
    """A decoder with the clip's own motion is right only where the donor moves alike."""
    scores = sampled_scores(IgnoresDynamic(tiny), judge, codes, subject, seed=3)
    alike = np.mean(MOTION[donors(len(MOTION), 3)] == MOTION)
    assert scores["swap_dynamic"] == pytest.approx(alike)


def test_a_seed_gives_the_same_scores_and_another_seed_other_ones(
    tiny: Architecture, judge: Judge, codes: Codes, subject: Subject
) -> None:
    first, again, other = (
        sampled_scores(Coloured(tiny), judge, codes, subject, seed) for seed in (0, 0, 1)
    )
    assert first == again
    assert first["static_leakage"] != other["static_leakage"]


def test_reconstructions_are_judged_by_both_of_their_codes(
    tiny: Architecture, judge: Judge, codes: Codes, subject: Subject
) -> None:
    for model in (Coloured, IgnoresStatic, IgnoresDynamic):
        scores = reconstruction_scores(subject, judge_codes(model(tiny), judge, codes))
        assert scores == {"reconstructed_static": 1, "reconstructed_dynamic": 1}


def test_on_real_clips_the_worst_factor_tells_how_good_the_judge_is(subject: Subject) -> None:
    doubtful = np.full((len(MOTION), MOTIONS), 1 / MOTIONS)
    real = {**subject.on_real, "motion": doubtful}
    scores = on_real_clips(Subject(FACTORS, subject.labels, real))
    assert scores["judge_accuracy"] == pytest.approx(1 / MOTIONS)
    assert scores["judge_inception_score"] == pytest.approx(1)
    assert scores["judge_h_y_given_x"] == pytest.approx(math.log(MOTIONS))


def test_chance_is_one_over_the_number_of_values(subject: Subject) -> None:
    scores = on_real_clips(subject)
    assert scores["static_chance"] == 1 / COLOURS
    assert scores["dynamic_chance"] == 1 / MOTIONS
    assert scores["judge_accuracy"] == 1


def test_of_several_factors_of_a_kind_the_scores_are_means() -> None:
    factors = (*FACTORS, Factor("size", "static", ("s", "l")))
    size = np.arange(len(COLOUR)) % 2
    labels = {"colour": COLOUR, "motion": MOTION, "size": size}
    subject = Subject(factors, labels, {})
    assert subject.chance("static") == pytest.approx((1 / 4 + 1 / 2) / 2)
    judged = {"colour": np.eye(COLOURS)[COLOUR], "size": np.eye(2)[1 - size]}
    assert subject.accuracies(judged, "static") == {"colour": 1, "size": 0}


def test_where_no_dynamic_factor_is_declared_the_headline_judges_the_static_ones(
    tiny: Architecture, judge: Judge, codes: Codes, subject: Subject
) -> None:
    """As of moving digits, whose motions have no names: z_f of the clip, z_t drawn."""
    only = Subject(FACTORS[:1], {"colour": COLOUR}, {"colour": subject.on_real["colour"]})
    scores = sampled_scores(Coloured(tiny), judge, codes, only, seed=0)
    assert (scores["accuracy"], scores["static_preserved"], scores["swap_static"]) == (1, 1, 1)
    assert scores["inception_score"] == pytest.approx(COLOURS)
    cheated = sampled_scores(IgnoresStatic(tiny), judge, codes, only, seed=0)
    assert cheated["accuracy"] == pytest.approx(1 / COLOURS, abs=BY_CHANCE)
    for name in ("swap_dynamic", "dynamic_leakage", "drawn_h_y"):
        assert math.isnan(scores[name])
    assert on_real_clips(only)["judge_inception_score"] == pytest.approx(COLOURS)


def test_a_clip_is_right_in_the_headline_only_if_all_its_factors_are() -> None:
    labels = {"smaller": np.array([0, 1, 0, 1]), "larger": np.array([1, 1, 1, 1])}
    factors = tuple(Factor(name, "static", ("0", "1")) for name in labels)
    said = {"smaller": np.eye(2)[[0, 1, 1, 1]], "larger": np.eye(2)[[1, 0, 1, 1]]}
    subject = Subject(factors, labels, {name: np.eye(2)[each] for name, each in labels.items()})
    found = headline(subject, said, "static")
    assert (found["accuracy"], found["agreement"]) == (0.5, 0.5)
    assert mean_of(subject.accuracies(said, "static")) == 0.75


def test_entropies_are_taken_on_as_many_clips_of_every_class() -> None:
    """Of motions that are judged without error, h_y is full however unequally often they are."""
    motion = np.repeat(np.arange(MOTIONS), [90, 5, 30, 7, 11])
    judged = {"motion": np.eye(MOTIONS)[motion]}
    subject = Subject(FACTORS[1:], {"motion": motion}, judged)
    found = subject.mean(judged, "dynamic", lambda answers: float(len(answers)))
    assert found == 5 * MOTIONS


def test_over_seeds_every_score_has_its_mean_and_its_spread() -> None:
    rows = [{"accuracy": value, "h_y": 2.0} for value in (0.2, 0.4, 0.9)]
    assert over_seeds(rows) == {
        "accuracy": pytest.approx(0.5),
        "accuracy_std": pytest.approx(np.std([0.2, 0.4, 0.9])),
        "h_y": 2,
        "h_y_std": 0,
    }
