"""The aggregate posterior as it is remembered over batches."""

from collections.abc import Callable

import pytest
import torch
from torch import Generator, Tensor

from s3vae.model.aggregate import RememberedAggregate

Draws = Callable[[int], Generator]


def after(batches: Tensor, decay: float = 0.9) -> RememberedAggregate:
    """A memory that has seen these batches."""
    memory = RememberedAggregate(batches.shape[-1], decay)
    for batch in batches:
        memory.mismatch(batch)
    return memory


def test_of_a_single_batch_the_mismatch_is_that_of_its_own_moments(draws: Draws) -> None:
    codes = torch.randn(8, 4, generator=draws(0)) * 2 + 1
    second = codes.T @ codes / 8
    expected = codes.mean(0).square().sum() + (second - torch.eye(4)).square().sum()
    torch.testing.assert_close(RememberedAggregate(4, 0.9).mismatch(codes), expected)


def test_the_mismatch_is_that_of_what_is_remembered_with_this_batch(draws: Draws) -> None:
    batches = torch.randn(2, 8, 4, generator=draws(0)) * 2 + 1
    memory = after(batches[:1])
    asked, all_clips = memory.mismatch(batches[1]), batches.flatten(0, 1)
    second = all_clips.T @ all_clips / 16
    expected = all_clips.mean(0).square().sum() + (second - torch.eye(4)).square().sum()
    torch.testing.assert_close(asked, expected)


def test_the_gradient_is_that_of_the_batch_against_what_is_remembered(draws: Draws) -> None:
    first, second = torch.randn(2, 8, 4, generator=draws(0)) * 2 + 1
    memory, codes = after(first[None]), second.clone().requires_grad_()
    memory.mismatch(codes).backward()
    # of the squares: twice each difference, times what a code adds to the batch's moment
    expected = 2 / 8 * memory.mean + 4 / 8 * second @ (memory.second - torch.eye(4))
    torch.testing.assert_close(codes.grad, expected)


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_of_few_clips_too_a_step_brings_codes_nearer_to_a_variance_of_one(
    draws: Draws, scale: float
) -> None:
    batches = scale * torch.randn(200, 16, 32, generator=draws(0))
    memory, codes = after(batches, decay=0.99), batches[-1].clone().requires_grad_()
    memory.mismatch(codes).backward()
    assert codes.grad is not None
    moved = codes.detach() - 0.01 * codes.grad
    assert abs(moved.var() - 1) < abs(batches[-1].var() - 1)


def test_codes_that_are_standard_normal_are_hardly_moved(draws: Draws) -> None:
    """Nor shrunk, as a batch's own covariance would have it (`test_independence.py`)."""
    batches = torch.randn(2000, 16, 32, generator=draws(0))
    memory, codes = after(batches, decay=0.999), batches[-1].clone().requires_grad_()
    memory.mismatch(codes).backward()
    assert codes.grad is not None
    assert (codes.grad * codes).sum(dim=1).mean().abs() < 0.05


def test_the_first_batches_are_averaged(draws: Draws) -> None:
    batches = torch.randn(3, 8, 4, generator=draws(0))
    memory = after(batches, decay=0.9)
    torch.testing.assert_close(memory.mean, batches.mean(dim=(0, 1)))
    torch.testing.assert_close(memory.second, (batches.mT @ batches / 8).mean(dim=0))


def test_afterwards_moments_forget_as_fast_as_decay_says() -> None:
    memory = after(torch.zeros(200, 8, 4), decay=0.9)
    memory.mismatch(torch.ones(8, 4))
    torch.testing.assert_close(memory.mean, torch.full((4,), 0.1))
    torch.testing.assert_close(memory.second, torch.full((4, 4), 0.1))


def test_the_memory_is_part_of_the_state_and_nothing_that_is_trained() -> None:
    memory = after(torch.ones(3, 8, 4))
    assert set(memory.state_dict()) == {"mean", "second", "seen"}
    assert not list(memory.parameters())
