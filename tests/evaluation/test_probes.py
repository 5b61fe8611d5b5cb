"""Linear probes measure what codes contain."""

import math

import numpy as np
import pytest
import torch

from s3vae.data.clips import Factor
from s3vae.evaluation.codes import Codes
from s3vae.evaluation.probes import probe_accuracy, probe_scores

VALUES, CLIPS = 4, 400
BY_CHANCE = pytest.approx(1 / VALUES, abs=0.1)
LABELS = np.arange(CLIPS) % VALUES
MOTION = np.arange(CLIPS) // VALUES % VALUES
FACTORS = (Factor("shape", "static", tuple("abcd")), Factor("motion", "dynamic", tuple("wxyz")))


def informative(labels: np.ndarray, seed: int) -> np.ndarray:
    """Return codes with separated labels among dimensions of noise."""
    noise = np.random.default_rng(seed).normal(size=(len(labels), 6))
    return np.concatenate([10 * np.eye(VALUES)[labels], noise], axis=1)


@pytest.mark.parametrize(("scale", "offset"), [(1, 0), (1e-4, 0), (1, 1e3)])
def test_informative_codes_are_classified_without_error_in_any_unit(
    scale: float, offset: float
) -> None:
    train, test = (scale * informative(LABELS, seed) + offset for seed in (0, 1))
    assert probe_accuracy(train, LABELS, test, LABELS) == 1


def scores_of(
    static: np.ndarray, dynamic: np.ndarray, factors: tuple[Factor, ...] = FACTORS
) -> dict[str, float]:
    """Return the scores of codes with these labels, the dynamic ones spread over frames."""
    train, test = (
        Codes(
            torch.from_numpy(informative(static, seed)).float(),
            torch.from_numpy(informative(dynamic, seed).reshape(CLIPS, -1, 2)).float(),
        )
        for seed in (0, 1)
    )
    labels = {"shape": LABELS, "motion": MOTION}
    return probe_scores(train, labels, test, labels, factors)


@pytest.mark.parametrize(
    ("static", "dynamic", "accuracy"),
    [(LABELS, MOTION, BY_CHANCE), (MOTION, LABELS, 1)],
    ids=["disentangled", "exchanged"],
)
def test_disentangled_codes_are_probed_at_chance_and_exchanged_ones_without_error(
    static: np.ndarray, dynamic: np.ndarray, accuracy: object
) -> None:
    scores = scores_of(static, dynamic)
    assert scores.keys() == {"probe_static_from_dynamic", "probe_dynamic_from_static"}
    assert [*scores.values()] == [accuracy, accuracy]


def test_without_a_factor_of_a_kind_its_probe_is_undefined() -> None:
    scores = scores_of(LABELS, MOTION, FACTORS[:1])
    assert math.isnan(scores["probe_dynamic_from_static"])
    assert scores["probe_static_from_dynamic"] == BY_CHANCE
