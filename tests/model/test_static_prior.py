"""The learned prior of appearance."""

import numpy as np
import pytest
import torch
from numpy import ndarray

from s3vae.model.static_prior import fit_static_prior


@pytest.fixture(scope="module")
def islands() -> ndarray:
    """The codes of four groups of clips, far from each other and in a ratio of 1 to 3."""
    draws = np.random.default_rng(0)
    centres = np.array([[9, 9], [-9, 9], [9, -9], [-9, -9]])
    group = np.repeat([0, 1, 2, 3], [60, 60, 60, 180])
    return (centres[group] + draws.normal(size=(360, 2)) * [1, 0.1]).astype(np.float32)


def test_every_group_of_codes_becomes_a_component_with_its_share(islands: ndarray) -> None:
    prior = fit_static_prior(islands)
    torch.testing.assert_close(prior.shares.sort().values, torch.tensor([1, 1, 1, 3]) / 6)


def test_drawn_codes_have_the_moments_of_the_fitted_ones(islands: ndarray) -> None:
    prior = fit_static_prior(islands)
    drawn = prior.sample(20_000, torch.Generator().manual_seed(0)).numpy()
    np.testing.assert_allclose(drawn.mean(axis=0), islands.mean(axis=0), atol=0.3)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(islands.T), atol=2)
    assert np.abs(np.abs(drawn[:, 1]) - 9).max() < 1  # none between the groups


def test_equal_codes_and_few_codes_are_fitted() -> None:
    prior = fit_static_prior(np.ones((3, 2), np.float32))
    drawn = prior.sample(5, torch.Generator().manual_seed(0))
    torch.testing.assert_close(drawn, torch.ones(5, 2), atol=0.1, rtol=0)


def test_the_fit_is_the_same_each_time(islands: ndarray) -> None:
    first, second = fit_static_prior(islands), fit_static_prior(islands)
    for name, each in first.state_dict().items():
        assert torch.equal(each, second.state_dict()[name]), name
