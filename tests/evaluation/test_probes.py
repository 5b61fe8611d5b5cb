"""Linear probes measure what codes contain."""

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


def informative(labels: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return codes with separated labels among dimensions of noise."""
    return np.concatenate([10 * np.eye(VALUES)[labels], noise(len(labels), 6, seed=seed)], axis=1)


def test_noise_is_classified_at_chance() -> None:
    score = probe_accuracy(noise(CLIPS, 8), LABELS, noise(CLIPS, 8, seed=1), LABELS)
    assert score == pytest.approx(1 / VALUES, abs=0.1)


@pytest.mark.parametrize(("scale", "offset"), [(1, 0), (1e-4, 0), (1, 1e3)])
def test_informative_codes_are_classified_without_error_in_any_unit(
    scale: float, offset: float
) -> None:
    train, test = (scale * informative(LABELS, seed) + offset for seed in (0, 1))
    assert probe_accuracy(train, LABELS, test, LABELS) == 1


def codes(static: np.ndarray, dynamic: np.ndarray) -> Codes:
    """Return codes, the dynamic ones spread over frames."""
    return Codes(
        torch.from_numpy(static).float(), torch.from_numpy(dynamic.reshape(CLIPS, -1, 2)).float()
    )


def test_disentangled_codes_are_probed_at_chance() -> None:
    labels = {"shape": LABELS, "motion": MOTION}
    train, test = (codes(informative(LABELS, seed), informative(MOTION, seed)) for seed in (0, 1))
    scores = probe_scores(train, labels, test, labels, FACTORS)
    assert scores == {
        "probe_static_from_dynamic": pytest.approx(1 / VALUES, abs=0.1),
        "probe_dynamic_from_static": pytest.approx(1 / VALUES, abs=0.1),
    }


def test_exchanged_codes_are_probed_without_error() -> None:
    labels = {"shape": LABELS, "motion": MOTION}
    train, test = (codes(informative(MOTION, seed), informative(LABELS, seed)) for seed in (0, 1))
    scores = probe_scores(train, labels, test, labels, FACTORS)
    assert set(scores.values()) == {1.0}


def test_without_a_factor_of_a_kind_its_probe_is_undefined() -> None:
    labels = {"shape": LABELS}
    train, test = (codes(informative(LABELS, seed), informative(MOTION, seed)) for seed in (0, 1))
    scores = probe_scores(train, labels, test, labels, FACTORS[:1])
    assert math.isnan(scores["probe_dynamic_from_static"])
    assert scores["probe_static_from_dynamic"] == pytest.approx(1 / VALUES, abs=0.1)
