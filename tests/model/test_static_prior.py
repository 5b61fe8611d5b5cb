"""The learned prior of appearance."""

import numpy as np
import pytest
import torch
from numpy import ndarray

from s3vae.model.static_prior import StaticPrior, fit_static_prior

CLIPS = 4000


def values_of(count: int) -> ndarray:
    """Return the values of an attribute: points on a circle."""
    angle = 2 * np.pi * np.arange(count) / count
    return 3 * np.stack([np.cos(angle), np.sin(angle)], axis=1)


SHAPES, COLOURS = values_of(4), values_of(6)


def drawn(prior: StaticPrior, count: int) -> ndarray:
    return prior.sample(count, torch.Generator().manual_seed(0)).numpy()


@pytest.fixture(scope="module")
def mixed() -> tuple[ndarray, ndarray]:
    """The codes of clips with one of four shapes and six colours, and the map that mixed them."""
    draws = np.random.default_rng(0)
    shape, colour = draws.integers(4, size=CLIPS), draws.integers(6, size=CLIPS)
    pure = np.concatenate([SHAPES[shape], COLOURS[colour]], axis=1)
    pure = (pure + 0.05 * draws.normal(size=pure.shape))[
        (shape > 0) | (colour > 0)
    ]  # one pair is missing
    mixing = draws.normal(size=(4, 4))
    return (pure @ mixing + 7).astype(np.float32), mixing


@pytest.fixture(scope="module")
def prior(mixed: tuple[ndarray, ndarray]) -> StaticPrior:
    return fit_static_prior(mixed[0])


@pytest.fixture
def pure(prior: StaticPrior, mixed: tuple[ndarray, ndarray]) -> ndarray:
    """Drawn codes, unmixed: the values of the shape, then those of the colour."""
    return (drawn(prior, 1000) - 7) @ np.linalg.inv(mixed[1])


def test_every_drawn_code_is_that_of_values_that_there_are(pure: ndarray) -> None:
    for part, values in ((pure[:, :2], SHAPES), (pure[:, 2:], COLOURS)):
        distance = np.linalg.norm(part[:, None] - values, axis=2)
        assert (distance.min(axis=1) < 0.6).mean() > 0.95
        shares = np.bincount(distance.argmin(axis=1), minlength=len(values)) / len(part)
        assert shares.min() > 0.6 / len(values)


def test_pairs_of_values_that_training_never_showed_are_drawn(
    prior: StaticPrior, pure: ndarray
) -> None:
    assert len(prior.parts) > 1
    shape = np.linalg.norm(pure[:, None, :2] - SHAPES, axis=2).argmin(axis=1)
    colour = np.linalg.norm(pure[:, None, 2:] - COLOURS, axis=2).argmin(axis=1)
    assert 0.02 < ((shape == 0) & (colour == 0)).mean() < 0.07  # 1 / 24 if they are independent


def test_drawn_codes_have_the_moments_of_the_fitted_ones(
    prior: StaticPrior, mixed: tuple[ndarray, ndarray]
) -> None:
    codes, found = mixed[0], drawn(prior, 20_000)
    np.testing.assert_allclose(found.mean(axis=0), codes.mean(axis=0), atol=0.3)
    np.testing.assert_allclose(np.cov(found.T).diagonal(), np.cov(codes.T).diagonal(), rtol=0.15)


def test_of_few_codes_all_dimensions_are_drawn_together() -> None:
    codes = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    assert len(fit_static_prior(codes).parts) == 1


@pytest.mark.parametrize("count", [1, 3])
def test_equal_codes_are_fitted(count: int) -> None:
    prior = fit_static_prior(np.ones((count, 2), np.float32))
    np.testing.assert_allclose(drawn(prior, 5), np.ones((5, 2)), atol=0.1)


def test_the_fit_is_the_same_each_time(prior: StaticPrior, mixed: tuple[ndarray, ndarray]) -> None:
    again = fit_static_prior(mixed[0]).state_dict()
    torch.testing.assert_close(again, prior.state_dict(), rtol=0, atol=0)
