"""Scores of drawn clips, at extremes with known values."""

import numpy as np
import pytest
import torch

from s3vae.data.clips import ClipFile
from s3vae.evaluation.generation import (
    Appearances,
    drawn_clips,
    frechet_distance,
    generation_scores,
    precision_and_recall,
)
from s3vae.judge.network import Judge
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE
from s3vae.model.static_prior import StaticPrior

CPU = torch.device("cpu")


def points(count: int, seed: int = 0, centre: float = 0, spread: float = 1) -> np.ndarray:
    draws = np.random.default_rng(seed)
    return (centre + spread * draws.normal(size=(count, 3))).astype(np.float32)


def test_the_frechet_distance_of_a_set_to_itself_is_zero() -> None:
    assert frechet_distance(points(50), points(50)) == pytest.approx(0, abs=1e-4)


def test_the_frechet_distance_of_gaussians_is_that_of_their_moments() -> None:
    distance = frechet_distance(points(50_000), points(50_000, seed=1, centre=2, spread=3))
    assert distance == pytest.approx(3 * (2**2 + (3 - 1) ** 2), rel=0.02)


def test_all_real_points_but_no_others_are_precise_and_recalled() -> None:
    real = points(60)
    assert precision_and_recall(real, real) == (1, 1)
    assert precision_and_recall(real, points(60, centre=50)) == (0, 0)


def test_points_of_half_of_the_real_set_are_precise_and_miss_the_other_half() -> None:
    real = np.concatenate([points(50), points(50, seed=1, centre=50)])
    precision, recall = precision_and_recall(real, points(100, seed=2, spread=0.5))
    assert precision > 0.9
    assert recall <= 0.5


def test_each_prior_draws_its_own_appearances(tiny: Architecture) -> None:
    model = S3VAE(tiny).eval()
    model.static_prior = StaticPrior(tiny.static, [(1, tiny.static)])
    model.static_prior.parts[0].factors.zero_()
    model.static_prior.parts[0].means.fill_(3)
    drawn = {
        prior: torch.cat([*drawn_clips(model, prior, 70, 3, 0, CPU)])
        for prior in ("standard", "learned")
    }
    assert {len(each) for each in drawn.values()} == {70}
    assert not torch.equal(drawn["standard"], drawn["learned"])
    model.static_prior = None
    again = torch.cat([*drawn_clips(model, "learned", 70, 3, 0, CPU)])
    assert torch.equal(again, drawn["standard"])


def test_real_clips_are_the_floor(clips: ClipFile, tiny: Architecture) -> None:
    torch.manual_seed(0)
    values = {factor.name: len(factor.values) for factor in clips.factors}
    judge = Judge(values, channels=3, width=4).eval()
    scores = generation_scores(S3VAE(tiny).eval(), judge, clips, "val", 0, CPU)
    assert [*scores] == ["real", "train", "reconstructed", "standard", "learned", "independent"]
    assert scores["real"]["frechet_distance"] < scores["standard"]["frechet_distance"]
    assert scores["real"]["recall"] > scores["standard"]["recall"]
    assert scores.pop("independent").keys() == {"unseen"}
    names = {"entropy", "diversity", "unseen", "frechet_distance", "precision", "recall"}
    assert all(each.keys() == names for each in scores.values())


def test_unseen_appearances_are_combinations_that_training_never_showed(clips: ClipFile) -> None:
    appearances = Appearances(clips)
    appearances.names = ["shape", "colour"]
    appearances.labels = np.array([[0, 0], [0, 1], [1, 1], [1, 1]])
    appearances.known = {(0, 0), (0, 1), (1, 1)}
    found = {"shape": np.eye(2)[[0, 1, 1, 1]], "colour": np.eye(2)[[1, 1, 1, 0]]}
    assert appearances.unseen(found) == 0.25
    assert appearances.unseen_if_independent() == pytest.approx(1 / 2 * 1 / 4)


def test_appearances_of_the_train_split_are_known(clips: ClipFile) -> None:
    appearances, train = Appearances(clips), clips.split("train")
    labels = {factor.name: clips.labels(factor.name)[train] for factor in clips.static_factors}
    assert appearances.unseen({name: np.eye(9)[values] for name, values in labels.items()}) == 0
