"""Scores of judged clips: identities and extremes."""

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
SURE = np.eye(VALUES)
UNSURE = np.full((20, VALUES), 1 / VALUES)


def answers(seed: int, sharpness: float = 1.0) -> ndarray:
    """Random answers of a judge on 50 clips."""
    logits = sharpness * np.random.default_rng(seed).normal(size=(50, VALUES))
    likely = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: ndarray = likely / likely.sum(axis=1, keepdims=True)
    return shares


@pytest.mark.parametrize("sharpness", [0.1, 1.0, 30.0, 700.0])
@pytest.mark.parametrize("seed", range(3))
def test_the_inception_score_is_exp_of_h_y_less_h_y_given_x(seed: int, sharpness: float) -> None:
    judged = answers(seed, sharpness)
    expected = math.exp(marginal_entropy(judged) - conditional_entropy(judged))
    assert inception_score(judged) == pytest.approx(expected, rel=1e-12)


def test_a_judge_that_is_sure_of_every_value_in_turn_scores_the_number_of_values() -> None:
    assert f"{conditional_entropy(SURE):.3f}" == "0.000"  # and not -0.000
    assert marginal_entropy(SURE) == pytest.approx(math.log(VALUES))
    assert inception_score(SURE) == pytest.approx(VALUES)


def test_a_judge_that_is_sure_of_always_the_same_value_scores_one() -> None:
    same = np.repeat(SURE[:1], 20, axis=0)
    assert (conditional_entropy(same), marginal_entropy(same)) == (0, 0)
    assert inception_score(same) == 1


def test_a_judge_that_never_knows_scores_one() -> None:
    assert conditional_entropy(UNSURE) == pytest.approx(math.log(VALUES))
    assert marginal_entropy(UNSURE) == pytest.approx(math.log(VALUES))
    assert inception_score(UNSURE) == pytest.approx(1)


def test_entropy_lies_between_0_and_the_logarithm_of_the_number_of_values() -> None:
    found = entropy(np.concatenate([answers(0, sharpness) for sharpness in (0.1, 1, 10, 100)]))
    assert found.shape == (200,)
    assert (found >= 0).all()
    assert (found <= math.log(VALUES) + 1e-12).all()


def test_what_cannot_be_adds_nothing_to_the_entropy() -> None:
    assert entropy(np.array([0.5, 0.5, 0.0])) == pytest.approx(math.log(2))


def test_repeating_all_clips_changes_no_score() -> None:
    judged = answers(0)
    for score in (inception_score, marginal_entropy, conditional_entropy):
        assert score(np.tile(judged, (3, 1))) == pytest.approx(score(judged))


def test_accuracy_is_the_share_of_right_answers() -> None:
    labels = np.arange(VALUES)
    assert accuracy(SURE, labels) == 1
    assert accuracy(SURE, np.roll(labels, 1)) == 0
    assert accuracy(SURE, np.where(labels < 3, labels, (labels + 1) % VALUES)) == 3 / VALUES


def test_a_balanced_subset_has_as_many_clips_of_every_class() -> None:
    labels = np.random.default_rng(0).choice(4, size=200, p=[0.1, 0.2, 0.3, 0.4])
    chosen = labels[balanced(labels)]
    assert (np.bincount(chosen) == np.bincount(labels).min()).all()


def test_a_balanced_subset_is_of_the_first_clips_of_every_class() -> None:
    labels = np.array([2, 2, 0, 2, 0, 1, 1, 1])
    assert balanced(labels).tolist() == [True, True, True, False, True, True, True, False]


def test_of_equally_many_clips_none_is_left_out() -> None:
    assert balanced(np.repeat(np.arange(5), 7)).all()
