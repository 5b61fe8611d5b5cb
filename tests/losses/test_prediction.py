"""Dynamic factor prediction: known values, and no word on the first frame."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from s3vae.losses.prediction import (
    direction_loss,
    distance_regression,
    flow_regression,
    top_cells_loss,
)

BATCH, TIME, CELLS, BINS = 3, 5, 9, 8
SURE = 100.0


def top_cells() -> Tensor:
    """Three different cells per pair of frames."""
    draws = torch.rand(BATCH, TIME - 1, CELLS, generator=torch.Generator().manual_seed(0))
    return draws.argsort(dim=-1)[..., :3]


def directions() -> Tensor:
    """Every bin, and -1 for still cells."""
    numbers = torch.arange(BATCH * (TIME - 1) * CELLS)
    return (numbers % (BINS + 1) - 1).reshape(BATCH, TIME - 1, CELLS)


def motion() -> Tensor:
    return torch.randn(BATCH, TIME - 1, CELLS, generator=torch.Generator().manual_seed(1))


def perfect_top_logits() -> Tensor:
    logits = torch.full((BATCH, TIME, CELLS), -SURE)
    logits[:, 1:].scatter_(-1, top_cells(), SURE)
    return logits


def perfect_direction_logits() -> Tensor:
    logits = torch.full((BATCH, TIME, CELLS, BINS), -SURE)
    logits[:, 1:].scatter_(-1, directions().clamp(min=0)[..., None], SURE)
    return logits


def of_top(logits: Tensor) -> Tensor:
    return top_cells_loss(logits, top_cells())


def of_direction(logits: Tensor) -> Tensor:
    return direction_loss(logits.reshape(BATCH, TIME, CELLS, -1), directions())


def of_flow(predicted: Tensor) -> Tensor:
    return flow_regression(predicted, motion())


MASKED = [(of_top, CELLS), (of_direction, CELLS * BINS), (of_flow, CELLS)]


@pytest.mark.parametrize(("loss", "width"), MASKED)
def test_the_first_frame_has_no_flow_and_its_prediction_no_gradient(
    loss: Callable[[Tensor], Tensor], width: int
) -> None:
    predicted = torch.randn(BATCH, TIME, width, requires_grad=True)
    loss(predicted).backward()  # type: ignore[no-untyped-call]
    assert predicted.grad is not None
    reached = predicted.grad.abs().sum(dim=(0, 2)) > 0
    assert reached.tolist() == [False, True, True, True, True]


def test_perfect_cells_cost_nothing() -> None:
    assert top_cells_loss(perfect_top_logits(), top_cells()) < 1e-30


def test_wrong_cells_cost_their_logits() -> None:
    """Each of the 9 cells of 4 pairs is wrong by a logit of 100: 100 nats each."""
    loss = top_cells_loss(-perfect_top_logits(), top_cells())
    assert loss.item() == pytest.approx(SURE * CELLS * (TIME - 1))


def test_undecided_cells_cost_log_2_each() -> None:
    loss = top_cells_loss(torch.zeros(BATCH, TIME, CELLS), top_cells())
    assert loss.item() == pytest.approx(math.log(2) * CELLS * (TIME - 1))


def test_perfect_directions_cost_nothing() -> None:
    assert direction_loss(perfect_direction_logits(), directions()) == 0


def test_undecided_directions_cost_log_8_for_every_moving_cell() -> None:
    moving = (directions() >= 0).sum().item()
    loss = direction_loss(torch.zeros(BATCH, TIME, CELLS, BINS), directions())
    assert loss.item() == pytest.approx(math.log(BINS) * moving / BATCH)


def test_cells_that_do_not_move_have_no_direction_to_predict() -> None:
    logits = torch.randn(BATCH, TIME, CELLS, BINS, requires_grad=True)
    direction_loss(logits, directions()).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    reached = logits.grad[:, 1:].any(dim=-1)
    assert torch.equal(reached, directions() >= 0)


def test_a_batch_in_which_nothing_moves_costs_nothing() -> None:
    still = torch.full((BATCH, TIME - 1, CELLS), -1)
    assert direction_loss(torch.randn(BATCH, TIME, CELLS, BINS), still) == 0


def test_flow_that_is_off_by_two_everywhere_costs_four_per_pair() -> None:
    predicted = torch.cat([torch.full((BATCH, 1, CELLS), 99.0), motion() + 2], dim=1)
    assert flow_regression(predicted, motion()).item() == pytest.approx(4 * (TIME - 1))


def test_the_first_frame_does_have_distances() -> None:
    signal = torch.zeros(BATCH, TIME, 3)
    predicted = signal.clone()
    predicted[:, 0] = 2
    assert distance_regression(predicted, signal) == 4


def test_doubling_the_batch_does_not_change_a_loss() -> None:
    close = torch.testing.assert_close
    logits = torch.randn(BATCH, TIME, CELLS)
    close(top_cells_loss(logits.repeat(2, 1, 1), top_cells().repeat(2, 1, 1)), of_top(logits))
    close(flow_regression(logits.repeat(2, 1, 1), motion().repeat(2, 1, 1)), of_flow(logits))
    bins = torch.randn(BATCH, TIME, CELLS, BINS)
    close(direction_loss(bins.repeat(2, 1, 1, 1), directions().repeat(2, 1, 1)), of_direction(bins))


def test_doubling_the_pairs_of_frames_doubles_a_loss() -> None:
    logits = torch.randn(BATCH, TIME, CELLS)
    longer = torch.cat([logits, logits[:, 1:]], dim=1)
    close = torch.testing.assert_close
    close(top_cells_loss(longer, top_cells().repeat(1, 2, 1)), 2 * of_top(logits))
    close(flow_regression(longer, motion().repeat(1, 2, 1)), 2 * of_flow(logits))
