"""Motion exchange: what is added is the difference between clusters, and nothing else."""

import pytest
import torch
from torch import Tensor

from s3vae.losses.exchange import LEAST_VARIANCE, MotionExchange

STATIC = 3


def codes(count: int = 6) -> Tensor:
    return torch.randn(count, STATIC, generator=torch.Generator().manual_seed(0))


def with_means(*means: list[float], decay: float = 0.9) -> MotionExchange:
    """An exchange whose means are known."""
    exchange = MotionExchange(len(means), STATIC, decay)
    exchange.means[:] = torch.tensor(means)
    return exchange


def test_one_cluster_is_the_identity() -> None:
    exchange, same = with_means([3.0, -5.0, 7.0]), torch.zeros(6, dtype=torch.long)
    torch.testing.assert_close(exchange.shift_to_cluster(codes(), same, same), codes())


def test_equal_means_are_the_identity() -> None:
    exchange = with_means([3.0, -5.0, 7.0], [3.0, -5.0, 7.0])
    own = torch.tensor([0, 1, 0, 1, 0, 1])
    torch.testing.assert_close(exchange.shift_to_cluster(codes(), own, 1 - own), codes())


def test_a_cluster_exchanged_with_itself_is_the_identity() -> None:
    exchange, own = with_means([1.0, 0.0, 0.0], [0.0, 9.0, 0.0]), torch.tensor([0, 1, 0, 1, 0, 1])
    torch.testing.assert_close(exchange.shift_to_cluster(codes(), own, own), codes())


def test_two_clusters_with_known_means_are_the_known_shift() -> None:
    exchange = with_means([1.0, 0.0, 0.0], [0.0, 5.0, 0.0])
    own, towards = torch.tensor([0, 1, 0]), torch.tensor([1, 0, 0])
    shift = exchange.shift_to_cluster(codes(3), own, towards) - codes(3)
    expected = torch.tensor([[-1.0, 5.0, 0.0], [1.0, -5.0, 0.0], [0.0, 0.0, 0.0]])
    torch.testing.assert_close(shift, expected, atol=1e-6, rtol=0)


def test_there_and_back_is_the_identity() -> None:
    exchange = with_means([1.0, 0.0, 2.0], [0.0, 5.0, 0.0])
    own = torch.tensor([0, 1, 0, 1, 0, 1])
    there = exchange.shift_to_cluster(codes(), own, 1 - own)
    torch.testing.assert_close(exchange.shift_to_cluster(there, 1 - own, own), codes())


def test_no_gradient_reaches_the_means_and_all_of_it_reaches_the_code() -> None:
    exchange, given = MotionExchange(2, STATIC, 0.9), codes().requires_grad_()
    own = torch.tensor([0, 1, 0, 1, 0, 1])
    exchange.update(given, own)
    shown = exchange.shift_to_cluster(given, own, 1 - own)
    shown.sum().backward()
    assert not exchange.means.requires_grad
    assert given.grad is not None
    assert torch.equal(given.grad, torch.ones_like(given))


OWN = torch.tensor([0, 1, 0, 1, 0, 1])


def moments(codes: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Of both clusters' codes the means, and the covariances."""
    apart = [codes[OWN.eq(cluster)] for cluster in (0, 1)]
    return [x.mean(dim=0) for x in apart], [torch.cov(x.T, correction=0) for x in apart]


def of_one_batch() -> MotionExchange:
    """An exchange that remembers the last batch alone, so its memory is full after one."""
    return MotionExchange(2, STATIC, decay=0.0)


def squared_distance(pair: list[Tensor]) -> Tensor:
    return (pair[0] - pair[1]).square().sum()


def test_the_penalty_is_the_variance_cluster_alignment_of_means_and_of_covariances() -> None:
    exchange = of_one_batch()
    exchange.update(codes(), OWN)
    means, covariances = moments(codes())
    unit = torch.stack(covariances).diagonal(dim1=1, dim2=2).mean()  # of a variance
    expected = squared_distance(means) / 4 / unit + squared_distance(covariances) / 4 / unit**2
    torch.testing.assert_close(exchange.alignment(codes(), OWN), expected)


def test_clusters_count_by_their_clips() -> None:
    exchange, own = of_one_batch(), torch.tensor([0, 1, 1, 1, 1, 1])
    equal = torch.ones(6, STATIC)
    equal[0] = 7  # a single clip and five alike: no covariance in either
    exchange.update(equal, own)
    expected = torch.tensor(STATIC * (7 - 1) ** 2 * (1 / 6) * (5 / 6)) / LEAST_VARIANCE
    torch.testing.assert_close(exchange.alignment(equal, own), expected)


def test_the_penalty_does_not_depend_on_the_scale_of_the_codes() -> None:
    penalties = []
    for scale in (1.0, 0.3):
        exchange = of_one_batch()
        exchange.update(scale * codes(), OWN)
        penalties.append(exchange.alignment(scale * codes(), OWN))
    torch.testing.assert_close(*penalties)


def test_the_penalty_does_not_mind_where_all_codes_lie_together() -> None:
    here, elsewhere = of_one_batch(), of_one_batch()
    here.update(codes(), OWN)
    elsewhere.update(codes() + 7, OWN)
    penalties = here.alignment(codes(), OWN), elsewhere.alignment(codes() + 7, OWN)
    torch.testing.assert_close(*penalties, atol=1e-4, rtol=1e-4)


def test_clusters_of_the_same_codes_have_no_penalty() -> None:
    exchange, twice = of_one_batch(), codes(3).repeat_interleave(2, dim=0)
    exchange.update(twice, OWN)
    torch.testing.assert_close(exchange.alignment(twice, OWN), torch.tensor(0.0))


@pytest.mark.parametrize("clusters", [[0, 0, 0, 0, 0, 0], [1]])
def test_a_batch_of_one_cluster_has_no_penalty(clusters: list[int]) -> None:
    exchange, own = of_one_batch(), torch.tensor(clusters)
    exchange.update(codes(), OWN)
    penalty = exchange.alignment(codes(len(own)), own)
    torch.testing.assert_close(penalty, torch.tensor(0.0), atol=1e-6, rtol=0)


def test_a_step_against_the_penalty_brings_both_moments_together() -> None:
    exchange, given = of_one_batch(), codes().requires_grad_()
    exchange.update(given, OWN)
    exchange.alignment(given, OWN).backward()
    assert given.grad is not None
    after, before = moments(codes() - 0.1 * given.grad), moments(codes())
    for pair, former in zip(after, before, strict=True):
        assert squared_distance(pair) < squared_distance(former)


def test_the_penalty_rises_while_the_memory_fills() -> None:
    exchange, penalties = MotionExchange(2, STATIC, decay=0.75), []
    for _ in range(6):
        penalties.append(exchange.alignment(codes(), OWN))
        exchange.update(codes(), OWN)
    full = of_one_batch()
    full.update(codes(), OWN)
    shares = torch.tensor([0, 0.25, 0.5, 0.75, 1, 1])
    expected = shares * full.alignment(codes(), OWN)
    torch.testing.assert_close(torch.stack(penalties), expected)


def test_the_first_batches_are_averaged() -> None:
    exchange, first = MotionExchange(1, STATIC, 0.99), torch.zeros(2, dtype=torch.long)
    batches = [codes()[:2], codes()[2:4], codes()[4:]]
    for batch in batches:
        exchange.update(batch, first)
    torch.testing.assert_close(exchange.means[0], codes().mean(dim=0))


def test_afterwards_means_forget_as_fast_as_decay_says() -> None:
    exchange = with_means([1.0, 1.0, 1.0], decay=0.9)
    exchange.updates[:] = 1000
    exchange.update(torch.zeros(1, STATIC), torch.zeros(1, dtype=torch.long))
    torch.testing.assert_close(exchange.means[0], torch.full((STATIC,), 0.9))


def test_covariances_are_remembered_as_means_are() -> None:
    exchange = with_means([0.0, 0.0, 0.0], [0.0, 0.0, 0.0], decay=0.9)
    exchange.updates[:] = 1000
    exchange.covariances[:] = 1
    clips = torch.tensor([[1.0, 2.0, 0.0], [-1.0, -2.0, 0.0]])  # their mean is the one remembered
    exchange.update(clips, torch.zeros(2, dtype=torch.long))
    products = torch.tensor([1.0, 2.0, 0.0, 2.0, 4.0, 0.0, 0.0, 0.0, 0.0])
    torch.testing.assert_close(exchange.covariances[0], 0.9 + 0.1 * products)
    assert exchange.covariances[1].eq(1).all()  # of no clip here


def test_a_mean_is_moved_by_its_own_clips_alone() -> None:
    exchange = MotionExchange(3, STATIC, 0.9)
    exchange.update(codes(), torch.tensor([0, 2, 2, 0, 0, 2]))
    torch.testing.assert_close(exchange.means[0], codes()[[0, 3, 4]].mean(dim=0))
    torch.testing.assert_close(exchange.means[2], codes()[[1, 2, 5]].mean(dim=0))
    assert not exchange.means[1].any()
    assert exchange.updates.tolist() == [1, 0, 1]


def test_averages_are_saved_but_not_trained() -> None:
    exchange = MotionExchange(3, STATIC, 0.9)
    assert set(exchange.state_dict()) == {"means", "covariances", "updates"}
    assert not list(exchange.parameters())
