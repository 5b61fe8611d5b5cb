"""The usual error of a trained model."""

from unittest.mock import Mock

import pytest

from s3vae.data.clips import ClipFile
from s3vae.training.usual_error import usual_error

INFINITE = float("inf")


def usual(*history: dict[str, float], side: int = 64) -> float | None:
    clips = Mock(ClipFile, time=5, shape=(9, 5, side, side, 3))
    return usual_error([*history], clips)


def row(train: float, val: float) -> dict[str, float]:
    return {"reconstruction": train, "val_reconstruction": val}


@pytest.mark.parametrize("side", [64, 128])
def test_the_usual_error_is_that_of_the_last_validation_per_pixel_of_any_size(side: int) -> None:
    """Errors of a training do not grow with the size of frames (test_elbo.py)."""
    error = usual(row(2.0, 9.0), row(2.0, 6.0), {"reconstruction": 1.0}, side=side)
    assert error == pytest.approx(6 / (5 * 64 * 64 * 3))


def test_appearances_of_validation_that_training_never_showed_are_not_usual() -> None:
    assert usual(row(2.0, 600.0)) == pytest.approx(10 * 2 / (5 * 64 * 64 * 3))


def test_without_a_finite_error_none_is_known() -> None:
    assert usual() is usual({"reconstruction": 1.0}) is None
    assert usual(row(2.0, float("nan"))) is usual(row(INFINITE, 2.0)) is None
