"""Motion exchange: means per cluster, and shifts between them."""

from collections.abc import Callable

import pytest
import torch
from torch import Generator, Tensor

from s3vae.losses.exchange import MotionExchange, same_cluster

STATIC = 3
CLUSTERS = torch.tensor([0, 1, 0, 1, 0, 1])
Draws = Callable[[int], Generator]


def codes(count: int = 6) -> Tensor:
    return torch.randn(count, STATIC, generator=torch.Generator().manual_seed(0))


def with_means(*means: list[float]) -> MotionExchange:
    """An exchange of known means, after many updates."""
    exchange = MotionExchange(len(means), STATIC, decay=0.9)
    exchange.means[:] = torch.tensor(means)
    exchange.updates[:] = 1000
    return exchange


@pytest.mark.parametrize(
    ("second", "target"),
    [([3.0, -5.0, 7.0], 1 - CLUSTERS), ([0.0, 9.0, 0.0], CLUSTERS)],
    ids=["equal means", "the own cluster"],
)
def test_a_shift_between_equal_means_or_to_the_own_cluster_is_the_identity(
    second: list[float], target: Tensor
) -> None:
    exchange = with_means([3.0, -5.0, 7.0], second)
    shifted = exchange.shift_to_cluster(codes(), CLUSTERS, target)
    torch.testing.assert_close(shifted, codes())


def test_a_shift_is_the_difference_of_the_means_and_its_inverse_leads_back() -> None:
    exchange = with_means([1.0, 0.0, 0.0], [0.0, 5.0, 0.0])
    source, target = torch.tensor([0, 1, 0]), torch.tensor([1, 0, 0])
    shifted = exchange.shift_to_cluster(codes(3), source, target)
    expected = torch.tensor([[-1.0, 5.0, 0.0], [1.0, -5.0, 0.0], [0.0, 0.0, 0.0]])
    torch.testing.assert_close(shifted - codes(3), expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(exchange.shift_to_cluster(shifted, target, source), codes(3))


def test_no_gradient_reaches_the_means_and_all_of_it_reaches_the_code() -> None:
    batch = codes().requires_grad_()
    exchange = MotionExchange(2, STATIC, decay=0.9)
    exchange.update(batch, CLUSTERS)
    exchange.shift_to_cluster(batch, CLUSTERS, 1 - CLUSTERS).sum().backward()
    assert not exchange.means.requires_grad
    torch.testing.assert_close(batch.grad, torch.ones_like(batch))


def test_the_first_batches_are_averaged_with_equal_weights() -> None:
    exchange = MotionExchange(1, STATIC, 0.99)
    for batch in codes().split(2):
        exchange.update(batch, torch.zeros(2, dtype=torch.long))
    torch.testing.assert_close(exchange.means[0], codes().mean(dim=0))


def test_later_batches_enter_with_the_weight_of_the_decay() -> None:
    exchange = with_means([0.0, 0.0, 0.0], [1.0, 1.0, 1.0])
    clips = torch.tensor([[2.0, 4.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    exchange.update(clips, torch.tensor([0, 0, 1]))
    torch.testing.assert_close(exchange.means, torch.tensor([[0.1, 0.2, 0.0], [0.9] * 3]))


def test_a_batch_updates_the_means_of_its_own_clusters_alone() -> None:
    exchange = MotionExchange(3, STATIC, 0.9)
    exchange.means[:] = 1
    exchange.update(codes(), torch.tensor([0, 2, 2, 0, 0, 2]))
    torch.testing.assert_close(exchange.means[0], codes()[[0, 3, 4]].mean(dim=0))
    torch.testing.assert_close(exchange.means[2], codes()[[1, 2, 5]].mean(dim=0))
    assert exchange.means[1].eq(1).all()
    assert exchange.updates.tolist() == [1, 0, 1]


@pytest.mark.parametrize("probability", [0.0, 0.4, 1.0])
def test_clips_are_swapped_with_others_of_their_cluster_as_often_as_set(
    probability: float, draws: Draws
) -> None:
    """Each other clip is equally likely; a clip alone in its cluster stays."""
    clusters, generator = torch.tensor([0, 1, 0, 2, 1, 0, 0, 1]), draws(0)
    chosen = torch.stack([same_cluster(clusters, probability, generator) for _ in range(3000)])
    assert torch.equal(clusters[chosen], clusters.expand_as(chosen))
    assert chosen[:, 3].eq(3).all()
    frequencies = torch.bincount(chosen[:, 0], minlength=8) / 3000
    others = torch.tensor([0, 0, 1, 0, 0, 1, 1, 0]) * probability / 3
    others[0] = 1 - probability
    assert (frequencies - others).abs().max() < 0.04
    assert chosen[:, 0].eq(0).any().item() == (probability < 1)
    assert chosen[:, 0].ne(0).any().item() == (probability > 0)
