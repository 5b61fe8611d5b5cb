"""Scores of drawn clips, at extremes with known values."""

import numpy as np
import pytest
import torch

from s3vae.baselines.mocogan.generator import Categories, MoCoGAN
from s3vae.data.clips import ClipFile
from s3vae.evaluation import generation
from s3vae.evaluation.generation import (
    clips_by_prior,
    coverage,
    frechet_distance,
    generation_scores,
)
from s3vae.evaluation.metrics import names
from s3vae.judge.network import Judge
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE
from s3vae.model.static_prior import StaticPrior

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Score few clips too."""
    monkeypatch.setattr(generation, "FEWEST", 4)


def points(count: int, seed: int = 0, centre: float = 0, spread: float = 1) -> np.ndarray:
    draws = np.random.default_rng(seed)
    return (centre + spread * draws.normal(size=(count, 3))).astype(np.float32)


@pytest.fixture
def judge(clips: ClipFile) -> Judge:
    torch.manual_seed(0)
    values = {factor.name: len(factor.values) for factor in clips.factors}
    return Judge(values, channels=3, width=4).eval()


@pytest.fixture
def model(tiny: Architecture) -> S3VAE:
    """Return a model whose learned prior draws one appearance."""
    model = S3VAE(tiny).eval()
    model.static_prior = StaticPrior(tiny.static, [(1, tiny.static)])
    model.static_prior.parts[0].factors.zero_()
    model.static_prior.parts[0].means.fill_(3)
    return model


def test_the_frechet_distance_of_gaussians_is_that_of_their_moments() -> None:
    distance = frechet_distance(points(50_000), points(50_000, seed=1, centre=2, spread=3))
    assert distance == pytest.approx(3 * (2**2 + (3 - 1) ** 2), rel=0.02)
    assert frechet_distance(points(50), points(50)) == pytest.approx(0, abs=1e-4)


def test_the_distance_of_features_that_are_not_finite_is_undefined() -> None:
    broken = points(50)
    broken[3, 0] = np.inf
    assert np.isnan(frechet_distance(points(50), broken))


def test_all_real_points_but_no_others_are_precise_and_recalled() -> None:
    real = points(60)
    assert coverage(real, real) == 1
    assert coverage(real, points(60, centre=50)) == coverage(points(60, centre=50), real) == 0


def test_points_of_half_of_the_real_set_are_precise_and_miss_the_other_half() -> None:
    real = np.concatenate([points(50), points(50, seed=1, centre=50)])
    drawn = points(100, seed=2, spread=0.5)
    assert coverage(real, drawn) > 0.9
    assert coverage(drawn, real) <= 0.5


def test_each_prior_draws_its_own_appearances(clips: ClipFile, model: S3VAE) -> None:
    rows = np.arange(70)

    def drawn() -> dict[str, torch.Tensor]:
        found = clips_by_prior(model, clips, rows, 0, CPU)
        return {end: torch.cat([*batches]) for end, batches in found.items()}

    of_each = drawn()
    assert {end: len(each) for end, each in of_each.items()} == {"_standard": 70, "": 70}
    assert not torch.equal(of_each["_standard"], of_each[""])
    model.static_prior = None
    without = drawn()
    assert [*without] == ["_standard"]
    assert torch.equal(without["_standard"], of_each["_standard"])


def test_every_score_is_declared_and_drawn_ones_have_a_deviation(
    clips: ClipFile, judge: Judge, model: S3VAE
) -> None:
    scores = generation_scores(model, judge, clips, clips.split("test"), [0, 1], CPU)
    assert {name for name in scores if not name.endswith("_std")} == {*names("generation")}
    assert scores["generated_distance_real"] < scores["generated_distance_standard"]
    assert scores["generated_entropy_standard_std"] > 0
    assert "generated_entropy_real_std" not in scores


def test_all_kinds_have_half_as_many_clips_as_there_are_rows(
    clips: ClipFile, judge: Judge, model: S3VAE, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []
    monkeypatch.setattr(
        generation,
        "frechet_distance",
        lambda real, others: counts.append((len(real), len(others))) or 0.0,
    )
    generation_scores(model, judge, clips, clips.split("test")[:11], [0], CPU)
    assert counts == [(5, 5)] * 5


def test_a_generator_without_an_encoder_is_scored_for_its_own_prior(
    clips: ClipFile, judge: Judge, tiny: Architecture
) -> None:
    generator = MoCoGAN(tiny, Categories("dynamic", {"motion": 3})).eval()
    scores = generation_scores(generator, judge, clips, clips.split("test"), [0], CPU)
    kinds = {name.rsplit("_", 1)[1] for name in scores if name.startswith("generated_recall")}
    assert kinds == {"standard", "train", "real", "std"}


def test_too_few_clips_are_not_scored(clips: ClipFile, judge: Judge, model: S3VAE) -> None:
    assert generation_scores(model, judge, clips, clips.split("test")[:7], [0], CPU) == {}


@pytest.mark.parametrize("expected", [0.0, 1e-16])
def test_new_combinations_are_undefined_where_training_shows_all(
    expected: float, clips: ClipFile, judge: Judge, model: S3VAE, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation.Appearances, "unseen_if_independent", lambda _: expected)
    scores = generation_scores(model, judge, clips, clips.split("test"), [0], CPU)
    assert np.isnan(scores["generated_unseen"])
