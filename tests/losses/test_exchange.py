"""Motion exchange: moments per cluster, shifts between means, and the alignment penalty."""

from collections.abc import Callable

import pytest
import torch
from torch import Generator, Tensor

from s3vae.losses.exchange import LEAST_VARIANCE, MotionExchange, same_cluster

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


def of_one_batch(batch: Tensor, clusters: Tensor = CLUSTERS) -> MotionExchange:
    """An exchange whose moments are those of the last batch alone."""
    exchange = MotionExchange(2, STATIC, decay=0.0)
    exchange.update(batch, clusters)
    return exchange


def alignment(batch: Tensor, clusters: Tensor = CLUSTERS) -> Tensor:
    """The penalty of a batch under its own moments."""
    return of_one_batch(batch.detach(), clusters).alignment(batch, clusters)


def squared_distances(codes: Tensor) -> Tensor:
    """Between both clusters, of their means and of their covariances."""
    one, other = (codes[CLUSTERS.eq(cluster)] for cluster in (0, 1))
    covariances = torch.cov(one.T, correction=0) - torch.cov(other.T, correction=0)
    means = one.mean(dim=0) - other.mean(dim=0)
    return torch.stack([means.square().sum(), covariances.square().sum()])


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
    exchange = of_one_batch(batch)
    exchange.shift_to_cluster(batch, CLUSTERS, 1 - CLUSTERS).sum().backward()
    assert not exchange.means.requires_grad
    torch.testing.assert_close(batch.grad, torch.ones_like(batch))


def test_the_penalty_is_the_variance_between_clusters_of_means_and_of_covariances() -> None:
    covariances = of_one_batch(codes()).covariances.view(2, STATIC, STATIC)
    unit = covariances.diagonal(dim1=1, dim2=2).mean()
    of_means, of_covariances = squared_distances(codes()) / 4
    torch.testing.assert_close(alignment(codes()), of_means / unit + of_covariances / unit**2)


def test_clusters_are_weighted_by_their_clips() -> None:
    equal = torch.ones(6, STATIC)
    equal[0] = 7  # one clip against five equal ones: both covariances are zero
    expected = torch.tensor(STATIC * (7 - 1) ** 2 * (1 / 6) * (5 / 6)) / LEAST_VARIANCE
    torch.testing.assert_close(alignment(equal, torch.tensor([0, 1, 1, 1, 1, 1])), expected)


@pytest.mark.parametrize(("scale", "offset"), [(0.3, 0), (1, 7)])
def test_the_penalty_does_not_depend_on_scale_or_offset_of_all_codes(
    scale: float, offset: float
) -> None:
    torch.testing.assert_close(
        alignment(scale * codes() + offset), alignment(codes()), atol=1e-4, rtol=1e-4
    )


def test_clusters_of_equal_codes_have_no_penalty() -> None:
    assert alignment(codes(3).repeat_interleave(2, dim=0)).abs() < 1e-6


@pytest.mark.parametrize("clusters", [[0, 0, 0, 0, 0, 0], [1]])
def test_a_batch_of_one_cluster_has_no_penalty(clusters: list[int]) -> None:
    penalty = of_one_batch(codes()).alignment(codes(len(clusters)), torch.tensor(clusters))
    torch.testing.assert_close(penalty, torch.tensor(0.0), atol=1e-6, rtol=0)


def test_a_gradient_step_brings_means_and_covariances_of_clusters_together() -> None:
    batch = codes().requires_grad_()
    (slope,) = torch.autograd.grad(alignment(batch), batch)
    assert (squared_distances(codes() - 0.1 * slope) < squared_distances(codes())).all()


def test_the_penalty_grows_from_zero_while_the_averages_fill() -> None:
    exchange, penalties = MotionExchange(2, STATIC, decay=0.75), []
    for _ in range(6):
        penalties.append(exchange.alignment(codes(), CLUSTERS))
        exchange.update(codes(), CLUSTERS)
    expected = torch.tensor([0, 0.25, 0.5, 0.75, 1, 1]) * alignment(codes())
    torch.testing.assert_close(torch.stack(penalties), expected)


def test_the_first_batches_are_averaged_with_equal_weights() -> None:
    exchange = MotionExchange(1, STATIC, 0.99)
    for batch in codes().split(2):
        exchange.update(batch, torch.zeros(2, dtype=torch.long))
    torch.testing.assert_close(exchange.means[0], codes().mean(dim=0))


def test_later_batches_enter_both_moments_with_the_weight_of_the_decay() -> None:
    exchange = with_means([0.0, 0.0, 0.0], [1.0, 1.0, 1.0])
    exchange.covariances[:] = 1
    clips = torch.tensor([[1.0, 2.0, 0.0], [-1.0, -2.0, 0.0], [0.0, 0.0, 0.0]])
    exchange.update(clips, torch.tensor([0, 0, 1]))
    torch.testing.assert_close(exchange.means, torch.tensor([[0.0] * 3, [0.9] * 3]))
    products = torch.tensor([1.0, 2.0, 0.0, 2.0, 4.0, 0.0, 0.0, 0.0, 0.0])
    torch.testing.assert_close(exchange.covariances[0], 0.9 + 0.1 * products)


def test_a_batch_updates_the_moments_of_its_own_clusters_alone() -> None:
    exchange = MotionExchange(3, STATIC, 0.9)
    exchange.means[:], exchange.covariances[:] = 1, 1
    exchange.update(codes(), torch.tensor([0, 2, 2, 0, 0, 2]))
    torch.testing.assert_close(exchange.means[0], codes()[[0, 3, 4]].mean(dim=0))
    torch.testing.assert_close(exchange.means[2], codes()[[1, 2, 5]].mean(dim=0))
    assert exchange.means[1].eq(1).all()
    assert exchange.covariances[1].eq(1).all()
    assert exchange.updates.tolist() == [1, 0, 1]


def test_averages_are_saved_but_not_trained() -> None:
    exchange = MotionExchange(3, STATIC, 0.9)
    assert set(exchange.state_dict()) == {"means", "covariances", "updates"}
    assert not list(exchange.parameters())


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
