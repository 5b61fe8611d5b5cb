"""The aggregate posterior of z_f: moments of one batch, and running moments over batches."""

from collections.abc import Callable

import pytest
import torch
from torch import Generator, Tensor

from s3vae.losses.aggregate import RunningMoments, batch_mismatch

Draws = Callable[[int], Generator]
CLIPS, DIMENSIONS = 16, 32
"""The batch size of the benchmark and the dimensions of its z_f."""


def after(batches: Tensor, decay: float = 0.9) -> RunningMoments:
    """Running moments after these batches."""
    moments = RunningMoments(batches.shape[-1], decay)
    for batch in batches:
        moments.update(batch)
    return moments


def growth(batches: Tensor, decay: float) -> float:
    """Return by how much a gradient step enlarges the last batch; negative if it shrinks."""
    codes = batches[-1].clone().requires_grad_()
    after(batches, decay).mismatch(codes).backward()
    return -(codes.grad * codes).sum().item()


def test_mismatch_and_gradient_are_those_of_the_moments_of_all_batches_so_far(draws: Draws) -> None:
    batches = torch.randn(2, 8, 4, generator=draws(0)) * 2 + 1
    clips, codes = batches.flatten(0, 1), batches[1].clone().requires_grad_()
    mean, missing = clips.mean(0), clips.T @ clips / 16 - torch.eye(4)
    loss = after(batches).mismatch(codes)
    torch.testing.assert_close(loss, mean.square().sum() + missing.square().sum())
    # of each square: twice the difference, times the derivative of the batch's moment
    (slope,) = torch.autograd.grad(loss, codes)
    torch.testing.assert_close(slope, 2 / 8 * mean + 4 / 8 * batches[1] @ missing)


@pytest.mark.parametrize(
    ("variance", "decay", "grows"), [(0.64, 0.95, True), (2.0, 0.95, False), (0.64, 0.0, False)]
)
def test_running_moments_enlarge_small_codes_which_moments_of_one_batch_shrink(
    draws: Draws, variance: float, decay: float, grows: bool
) -> None:
    batches = variance**0.5 * torch.randn(300, CLIPS, DIMENSIONS, generator=draws(0))
    assert (growth(batches, decay) > 0) == grows


def test_the_minimum_has_a_variance_of_nine_tenths(draws: Draws) -> None:
    """Not 1: the sampling error of the last batch is part of the average."""
    batches = torch.randn(200, CLIPS, DIMENSIONS, generator=draws(0))
    growths = {}
    for variance in (0.8, 0.9, 1.0):
        codes = variance**0.5 * batches
        growths[variance] = sum(growth(codes[:end], 0.95) for end in range(100, 200, 10))
    assert growths[0.8] > abs(growths[0.9])
    assert growths[1.0] < -abs(growths[0.9])


def test_the_first_batches_are_averaged(draws: Draws) -> None:
    batches = torch.randn(3, 8, 4, generator=draws(0))
    moments = after(batches, decay=0.9)
    torch.testing.assert_close(moments.mean, batches.mean(dim=(0, 1)))
    torch.testing.assert_close(moments.second_moment, (batches.mT @ batches / 8).mean(dim=0))


def test_later_batches_enter_with_the_weight_of_the_decay() -> None:
    moments = after(torch.zeros(200, 8, 4), decay=0.9)
    moments.update(torch.ones(8, 4))
    torch.testing.assert_close(moments.mean, torch.full((4,), 0.1))
    torch.testing.assert_close(moments.second_moment, torch.full((4, 4), 0.1))


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
