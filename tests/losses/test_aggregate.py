"""The aggregate posterior as it is remembered over batches."""

from collections.abc import Callable

import pytest
import torch
from torch import Generator, Tensor

from s3vae.losses.aggregate import RunningMoments

Draws = Callable[[int], Generator]
CLIPS, NUMBERS = 16, 32
"""Of a batch of the benchmark, and of its z_f."""


def after(batches: Tensor, decay: float = 0.9) -> RunningMoments:
    """A memory that has seen these batches."""
    memory = RunningMoments(batches.shape[-1], decay)
    for batch in batches:
        memory.update(batch)
    return memory


def asked_growth(batches: Tensor, decay: float) -> float:
    """By how much a step against the mismatch makes the last batch larger; below 0 for smaller."""
    codes = batches[-1].clone().requires_grad_()
    after(batches, decay).mismatch(codes).backward()
    assert codes.grad is not None
    return -(codes.grad * codes).sum().item()


def test_the_mismatch_is_that_of_all_that_is_remembered(draws: Draws) -> None:
    batches = torch.randn(2, 8, 4, generator=draws(0)) * 2 + 1
    clips = batches.flatten(0, 1)
    second_moment = clips.T @ clips / 16
    expected = clips.mean(0).square().sum() + (second_moment - torch.eye(4)).square().sum()
    torch.testing.assert_close(after(batches).mismatch(batches[1]), expected)


def test_the_gradient_is_that_of_the_batch_against_what_is_remembered(draws: Draws) -> None:
    batches = torch.randn(2, 8, 4, generator=draws(0)) * 2 + 1
    memory, codes = after(batches), batches[1].clone().requires_grad_()
    memory.mismatch(codes).backward()
    # of the squares: twice each difference, times what a code adds to the batch's moment
    missing = memory.second_moment - torch.eye(4)
    torch.testing.assert_close(codes.grad, 2 / 8 * memory.mean + 4 / 8 * batches[1] @ missing)


@pytest.mark.parametrize(("variance", "grows"), [(0.64, True), (2.0, False)])
def test_a_memory_makes_small_codes_larger_and_large_ones_smaller(
    draws: Draws, variance: float, grows: bool
) -> None:
    batches = variance**0.5 * torch.randn(300, CLIPS, NUMBERS, generator=draws(0))
    assert (asked_growth(batches, decay=0.95) > 0) == grows


def test_without_a_memory_few_clips_ask_codes_of_that_size_to_shrink(draws: Draws) -> None:
    batches = 0.8 * torch.randn(300, CLIPS, NUMBERS, generator=draws(0))
    assert asked_growth(batches, decay=0.0) < 0


def test_codes_rest_at_a_variance_of_nine_tenths(draws: Draws) -> None:
    """Not of 1: a batch's chance is a part of what is remembered."""
    batches = torch.randn(400, CLIPS, NUMBERS, generator=draws(0))
    growth = {}
    for variance in (0.8, 0.9, 1.0):
        codes = variance**0.5 * batches
        growth[variance] = sum(asked_growth(codes[:end], 0.95) for end in range(300, 400, 5))
    assert growth[0.8] > abs(growth[0.9])
    assert growth[1.0] < -abs(growth[0.9])


def test_the_first_batches_are_averaged(draws: Draws) -> None:
    batches = torch.randn(3, 8, 4, generator=draws(0))
    memory = after(batches, decay=0.9)
    torch.testing.assert_close(memory.mean, batches.mean(dim=(0, 1)))
    torch.testing.assert_close(memory.second_moment, (batches.mT @ batches / 8).mean(dim=0))


def test_afterwards_moments_forget_as_fast_as_decay_says() -> None:
    memory = after(torch.zeros(200, 8, 4), decay=0.9)
    memory.update(torch.ones(8, 4))
    torch.testing.assert_close(memory.mean, torch.full((4,), 0.1))
    torch.testing.assert_close(memory.second_moment, torch.full((4, 4), 0.1))


def test_the_memory_is_part_of_the_state_and_nothing_that_is_trained() -> None:
    memory = after(torch.ones(3, 8, 4))
    assert set(memory.state_dict()) == {"mean", "second_moment", "seen"}
    assert not list(memory.parameters())
