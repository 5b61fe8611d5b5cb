"""A judge that errs on real clips scores nothing."""

import numpy as np
import pytest

from s3vae.data.clips import Factor
from s3vae.judge.check import InaccurateJudgeError, check_judge

FACTORS = (Factor("shape", "static", ("a", "b")), Factor("motion", "dynamic", ("x", "y")))
LABELS = {"shape": np.array([0, 1] * 50), "motion": np.array([0, 0, 1, 1] * 25)}


def predictions(mistakes: int) -> dict[str, np.ndarray]:
    """Return predictions with all shapes right and some motions wrong."""
    motion = LABELS["motion"].copy()
    motion[:mistakes] = 1 - motion[:mistakes]
    return {"shape": np.eye(2)[LABELS["shape"]], "motion": np.eye(2)[motion]}


@pytest.mark.parametrize(("mistakes", "least"), [(0, 0.999), (2, 0.98)])
def test_a_judge_of_at_least_the_required_accuracy_passes(mistakes: int, least: float) -> None:
    check_judge(predictions(mistakes), LABELS, FACTORS, least)


def test_a_judge_that_errs_is_refused_with_factor_accuracy_and_remedy() -> None:
    with pytest.raises(InaccurateJudgeError, match=r"99\.90%.*: motion 98\.00%\..*judge\.train"):
        check_judge(predictions(2), LABELS, FACTORS, 0.999)


@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value")
def test_a_judge_without_a_test_clip_is_refused() -> None:
    nothing = {name: each[:0] for name, each in predictions(0).items()}
    labels = {name: values[:0] for name, values in LABELS.items()}
    with pytest.raises(InaccurateJudgeError):
        check_judge(nothing, labels, FACTORS, 0.999)
