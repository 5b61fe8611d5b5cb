"""The aggregate posterior of z_f, by the moments of a batch."""

from collections.abc import Callable

import torch
from torch import Generator

from s3vae.losses.aggregate import batch_mismatch

Draws = Callable[[int], Generator]


def test_the_mismatch_is_that_of_mean_and_covariance(draws: Draws) -> None:
    codes = torch.randn(20, 4, generator=draws(0), dtype=torch.double) * 3 + 1
    mean, covariance = codes.mean(0), torch.cov(codes.T)
    expected = mean.square().sum() + (covariance - torch.eye(4)).square().sum()
    torch.testing.assert_close(batch_mismatch(codes), expected)


def test_on_small_batches_the_minimum_is_below_the_identity(draws: Draws) -> None:
    codes = torch.randn(300, 16, 32, generator=draws(0))
    variances = [0.1, 0.2, 0.3, 0.4, 0.6, 1.0]
    mismatches = [sum(batch_mismatch(v**0.5 * batch).item() for batch in codes) for v in variances]
    assert variances[mismatches.index(min(mismatches))] == 0.3
