"""Scores of predictions: identities and extremes."""

import math

import numpy as np
import pytest
from numpy import ndarray

from s3vae.judge.scores import (
    accuracy,
    balanced,
    conditional_entropy,
    entropy,
    inception_score,
    marginal_entropy,
)

VALUES = 9
CERTAIN = np.eye(VALUES)
UNIFORM = np.full((20, VALUES), 1 / VALUES)


def random_predictions(seed: int, sharpness: float = 1.0) -> ndarray:
    """Return random predictions for 50 clips."""
    logits = sharpness * np.random.default_rng(seed).normal(size=(50, VALUES))
    likely = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: ndarray = likely / likely.sum(axis=1, keepdims=True)
    return shares


@pytest.mark.parametrize("sharpness", [0.1, 1.0, 30.0, 700.0])
@pytest.mark.parametrize("seed", range(3))
def test_the_inception_score_is_exp_of_h_y_less_h_y_given_x(seed: int, sharpness: float) -> None:
    predictions = random_predictions(seed, sharpness)
    expected = math.exp(marginal_entropy(predictions) - conditional_entropy(predictions))
    assert inception_score(predictions) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("predictions", "h_y_given_x", "h_y"),
    [
        (CERTAIN, 0, math.log(VALUES)),
        (np.repeat(CERTAIN[:1], 20, axis=0), 0, 0),
        (UNIFORM, math.log(VALUES), math.log(VALUES)),
    ],
    ids=["certain of all values", "certain of one value", "uniform"],
)
def test_entropies_and_inception_score_have_their_extremes(
    predictions: ndarray, h_y_given_x: float, h_y: float
) -> None:
    assert conditional_entropy(predictions) == pytest.approx(h_y_given_x)
    assert marginal_entropy(predictions) == pytest.approx(h_y)
    assert inception_score(predictions) == pytest.approx(math.exp(h_y - h_y_given_x))
    assert not f"{conditional_entropy(predictions):.3f}".startswith("-")


def test_entropy_lies_between_0_and_the_logarithm_of_the_number_of_values() -> None:
    entropies = entropy(
        np.concatenate([random_predictions(0, sharpness) for sharpness in (0.1, 1, 10, 100)])
    )
    assert entropies.shape == (200,)
    assert (entropies >= 0).all()
    assert (entropies <= math.log(VALUES) + 1e-12).all()


def test_impossible_values_add_nothing_to_the_entropy() -> None:
    assert entropy(np.array([0.5, 0.5, 0.0])) == pytest.approx(math.log(2))


def test_repeating_all_clips_changes_no_score() -> None:
    predictions = random_predictions(0)
    for score in (inception_score, marginal_entropy, conditional_entropy):
        assert score(np.tile(predictions, (3, 1))) == pytest.approx(score(predictions))


def test_accuracy_is_the_share_of_correct_predictions() -> None:
    labels = np.arange(VALUES)
    assert accuracy(CERTAIN, labels) == 1
    assert accuracy(CERTAIN, np.roll(labels, 1)) == 0
    assert accuracy(CERTAIN, np.where(labels < 3, labels, (labels + 1) % VALUES)) == 3 / VALUES


def test_a_balanced_subset_has_as_many_clips_of_every_class() -> None:
    drawn = np.random.default_rng(0).choice(4, size=200, p=[0.1, 0.2, 0.3, 0.4])
    for labels in (drawn, np.repeat(np.arange(5), 7)):
        chosen = labels[balanced(labels)]
        assert (np.bincount(chosen) == np.bincount(labels).min()).all()


def test_a_balanced_subset_has_the_first_clips_of_every_class() -> None:
    labels = np.array([2, 2, 0, 2, 0, 1, 1, 1])
    assert balanced(labels).tolist() == [True, True, True, False, True, True, True, False]
