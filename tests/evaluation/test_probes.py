"""Linear probes read what is there and nothing else."""

import math

import numpy as np
import pytest
import torch

from s3vae.data.clips import Factor
from s3vae.evaluation.codes import Codes
from s3vae.evaluation.probes import probe_accuracy, probe_scores

VALUES, CLIPS = 4, 400
LABELS = np.arange(CLIPS) % VALUES
MOTION = np.arange(CLIPS) // VALUES % VALUES
FACTORS = (Factor("shape", "static", tuple("abcd")), Factor("motion", "dynamic", tuple("wxyz")))


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def telling(labels: np.ndarray, seed: int = 0) -> np.ndarray:
    """Codes that tell the label, far apart, among dimensions that tell nothing."""
    return np.concatenate([10 * np.eye(VALUES)[labels], noise(len(labels), 6, seed=seed)], axis=1)


def test_a_code_that_tells_the_label_is_read_without_error() -> None:
    assert probe_accuracy(telling(LABELS), LABELS, telling(LABELS, seed=1), LABELS) == 1


def test_a_code_that_tells_nothing_is_read_no_better_than_by_chance() -> None:
    score = probe_accuracy(noise(CLIPS, 8), LABELS, noise(CLIPS, 8, seed=1), LABELS)
    assert score == pytest.approx(1 / VALUES, abs=0.1)


def test_the_unit_of_a_code_does_not_matter() -> None:
    train, test = telling(LABELS), telling(LABELS, seed=1)
    assert probe_accuracy(1e-4 * train, LABELS, 1e-4 * test, LABELS) == 1
    assert probe_accuracy(train + 1e3, LABELS, test + 1e3, LABELS) == 1


def codes(static: np.ndarray, dynamic: np.ndarray) -> Codes:
    """These codes; the dynamic one is spread over four frames."""
    return Codes(
        torch.from_numpy(static).float(),
        torch.from_numpy(dynamic.reshape(CLIPS, -1, 2)).float(),
    )


def test_each_factor_is_asked_of_the_code_that_should_not_hold_it() -> None:
    """z_f tells the shape and z_t the motion, as they should: both probes are at chance."""
    labels = {"shape": LABELS, "motion": MOTION}
    train, test = (codes(telling(LABELS, seed), telling(MOTION, seed)) for seed in (0, 1))
    scores = probe_scores(train, labels, test, labels, FACTORS)
    assert scores == {
        "probe_static_from_dynamic": pytest.approx(1 / VALUES, abs=0.1),
        "probe_dynamic_from_static": pytest.approx(1 / VALUES, abs=0.1),
    }


def test_codes_that_hold_each_others_factors_are_found_out() -> None:
    labels = {"shape": LABELS, "motion": MOTION}
    train, test = (codes(telling(MOTION, seed), telling(LABELS, seed)) for seed in (0, 1))
    scores = probe_scores(train, labels, test, labels, FACTORS)
    assert set(scores.values()) == {1.0}


def test_where_no_factor_of_a_kind_is_declared_there_is_nothing_to_probe() -> None:
    labels = {"shape": LABELS}
    train, test = (codes(telling(LABELS, seed), telling(MOTION, seed)) for seed in (0, 1))
    scores = probe_scores(train, labels, test, labels, FACTORS[:1])
    assert math.isnan(scores["probe_dynamic_from_static"])
    assert scores["probe_static_from_dynamic"] == pytest.approx(1 / VALUES, abs=0.1)
