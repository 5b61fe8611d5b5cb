"""A judge that errs on real clips scores nothing."""

import numpy as np
import pytest

from s3vae.data.clips import Factor
from s3vae.judge.check import UntrustworthyJudgeError, require_trust

FACTORS = (Factor("shape", "static", ("a", "b")), Factor("motion", "dynamic", ("x", "y")))
LABELS = {"shape": np.array([0, 1] * 50), "motion": np.array([0, 0, 1, 1] * 25)}


def judged(mistakes: int) -> dict[str, np.ndarray]:
    """Right on every shape, wrong on so many motions."""
    motion = LABELS["motion"].copy()
    motion[:mistakes] = 1 - motion[:mistakes]
    return {"shape": np.eye(2)[LABELS["shape"]], "motion": np.eye(2)[motion]}


def test_a_judge_that_is_always_right_is_trusted() -> None:
    assert require_trust(judged(0), LABELS, FACTORS, 0.999) == {"shape": 1, "motion": 1}


def test_a_judge_that_errs_is_refused_with_the_factor_its_accuracy_and_the_mend() -> None:
    with pytest.raises(UntrustworthyJudgeError, match=r"99\.90%.*: motion 98\.00%\..*judge\.train"):
        require_trust(judged(2), LABELS, FACTORS, 0.999)


def test_the_least_accuracy_itself_is_enough() -> None:
    assert require_trust(judged(2), LABELS, FACTORS, 0.98)["motion"] == 0.98


@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value")
def test_a_judge_that_was_asked_nothing_is_not_trusted() -> None:
    nothing = {name: answers[:0] for name, answers in judged(0).items()}
    labels = {name: values[:0] for name, values in LABELS.items()}
    with pytest.raises(UntrustworthyJudgeError):
        require_trust(nothing, labels, FACTORS, 0.999)
