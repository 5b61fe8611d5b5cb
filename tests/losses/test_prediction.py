"""Dynamic factor prediction: known values, and no flow prediction for the first frame."""

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


def of_top(logits: Tensor, repeats: tuple[int, int, int] = (1, 1, 1)) -> Tensor:
    return top_cells_loss(logits, top_cells().repeat(repeats))


def of_direction(logits: Tensor, repeats: tuple[int, int, int] = (1, 1, 1)) -> Tensor:
    return direction_loss(logits.unflatten(-1, (CELLS, BINS)), directions().repeat(repeats))


def of_flow(predicted: Tensor, repeats: tuple[int, int, int] = (1, 1, 1)) -> Tensor:
    return flow_regression(predicted, motion().repeat(repeats))


of_each_flow_loss = pytest.mark.parametrize(
    ("loss", "width"), [(of_top, CELLS), (of_direction, CELLS * BINS), (of_flow, CELLS)]
)


@of_each_flow_loss
def test_flow_predictions_for_the_first_frame_have_no_gradient(
    loss: Callable[..., Tensor], width: int
) -> None:
    predicted = torch.randn(BATCH, TIME, width, requires_grad=True)
    (slope,) = torch.autograd.grad(loss(predicted), predicted)
    assert slope.any(dim=2).any(dim=0).tolist() == [False, True, True, True, True]


@of_each_flow_loss
def test_doubling_the_batch_changes_nothing_and_doubling_the_pairs_doubles_the_loss(
    loss: Callable[..., Tensor], width: int
) -> None:
    predicted = torch.randn(BATCH, TIME, width)
    torch.testing.assert_close(loss(predicted.repeat(2, 1, 1), (2, 1, 1)), loss(predicted))
    longer = torch.cat([predicted, predicted[:, 1:]], dim=1)
    torch.testing.assert_close(loss(longer, (1, 2, 1)), 2 * loss(predicted))


@pytest.mark.parametrize(
    ("scale", "nats"), [(1, 0), (-1, SURE), (0, math.log(2))], ids=["right", "wrong", "undecided"]
)
def test_the_loss_of_top_cells_is_a_binary_cross_entropy_per_cell(
    scale: float, nats: float
) -> None:
    logits = torch.full((BATCH, TIME, CELLS), -SURE)
    logits[:, 1:].scatter_(-1, top_cells(), SURE)
    loss = of_top(scale * logits).item()
    assert loss == pytest.approx(nats * CELLS * (TIME - 1), rel=1e-6, abs=1e-30)


def test_the_loss_of_directions_is_a_cross_entropy_per_moving_cell() -> None:
    moving = (directions() >= 0).sum().item()
    undecided = direction_loss(torch.zeros(BATCH, TIME, CELLS, BINS), directions())
    assert undecided.item() == pytest.approx(math.log(BINS) * moving / BATCH)
    right = torch.full((BATCH, TIME, CELLS, BINS), -SURE)
    right[:, 1:].scatter_(-1, directions().clamp(min=0)[..., None], SURE)
    assert direction_loss(right, directions()) == 0


def test_cells_that_do_not_move_have_no_direction_to_predict() -> None:
    logits = torch.randn(BATCH, TIME, CELLS, BINS, requires_grad=True)
    (slope,) = torch.autograd.grad(direction_loss(logits, directions()), logits)
    assert torch.equal(slope[:, 1:].any(dim=-1), directions() >= 0)
    still = torch.full((BATCH, TIME - 1, CELLS), -1)
    assert direction_loss(logits, still) == 0


def test_flow_that_is_off_by_two_everywhere_has_an_error_of_four_per_pair() -> None:
    predicted = torch.cat([torch.full((BATCH, 1, CELLS), 99.0), motion() + 2], dim=1)
    assert flow_regression(predicted, motion()).item() == pytest.approx(4 * (TIME - 1))


def test_distances_are_predicted_for_the_first_frame_too() -> None:
    signal = torch.zeros(BATCH, TIME, 3)
    predicted = signal.clone()
    predicted[:, 0] = 2
    assert distance_regression(predicted, signal) == 4
