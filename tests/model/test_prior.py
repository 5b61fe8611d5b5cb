"""The prior of motion: teacher forcing and free running share one step function."""

from collections.abc import Callable

import pytest
import torch
from torch import Generator, Tensor, nn

from s3vae.model.prior import DynamicPrior

BATCH, TIME, DYNAMIC = 3, 6, 4
Draws = Callable[[int], Generator]
ONE_CLUSTER = torch.zeros(BATCH, dtype=torch.long)


@pytest.fixture
def prior() -> DynamicPrior:
    torch.manual_seed(0)
    return DynamicPrior(DYNAMIC, 8)


@pytest.fixture
def codes(draws: Draws) -> Tensor:
    return torch.randn(BATCH, TIME, DYNAMIC, generator=draws(0))


@pytest.mark.parametrize("length", [1, 2])
def test_teacher_forcing_is_the_step_on_chunks_of_the_true_codes(
    length: int, prior: DynamicPrior, codes: Tensor
) -> None:
    forced = prior(codes, ONE_CLUSTER)
    before, state = torch.cat([torch.zeros(BATCH, 1, DYNAMIC), codes[:, :-1]], dim=1), None
    for time in range(0, TIME, length):
        following, state = prior.step(before[:, time : time + length], state)
        torch.testing.assert_close(following.mean, forced.mean[:, time : time + length])
        torch.testing.assert_close(following.std, forced.std[:, time : time + length])


def test_free_running_draws_are_draws_of_the_teacher_forced_prior(
    prior: DynamicPrior, draws: Draws
) -> None:
    drawn, noise = prior.sample(BATCH, TIME, draws(1)), draws(1)
    torch.multinomial(prior.shares, BATCH, replacement=True, generator=noise)  # the clusters
    expected = prior(drawn, ONE_CLUSTER)
    draw = torch.stack([torch.randn(BATCH, 1, DYNAMIC, generator=noise)[:, 0] for _ in range(TIME)])
    torch.testing.assert_close(drawn, expected.mean + expected.std * draw.transpose(0, 1))


def test_a_code_is_predicted_from_earlier_codes_alone(prior: DynamicPrior, codes: Tensor) -> None:
    prior(codes.requires_grad_(), ONE_CLUSTER).mean[:, 3].sum().backward()
    assert codes.grad.any(dim=2).any(dim=0).nonzero().flatten().tolist() == [0, 1, 2]


@pytest.mark.parametrize("time", [1, 2, 9])
def test_motions_of_any_length_begin_alike(time: int, prior: DynamicPrior, draws: Draws) -> None:
    motions = prior.sample(2, time, draws(0))
    assert motions.shape == (2, time, DYNAMIC)
    assert torch.equal(prior.sample(2, time + 2, draws(0))[:, :time], motions)


def test_clips_are_drawn_independently(prior: DynamicPrior, draws: Draws) -> None:
    one, other = prior.sample(2, TIME, draws(0))
    assert not torch.isclose(one, other).any()


@pytest.mark.parametrize("clusters", [1, 2])
def test_the_first_code_has_one_prior_per_cluster(clusters: int, codes: Tensor) -> None:
    torch.manual_seed(0)
    prior = DynamicPrior(DYNAMIC, 8, clusters)
    first = prior(codes, torch.tensor([0, clusters - 1, 0])).mean[:, 0]
    torch.testing.assert_close(first[0], first[2])
    assert (
        torch.isclose(first[0], first[1]).all() if clusters == 1 else (first[0] != first[1]).all()
    )


def test_clusters_are_drawn_with_their_probabilities(draws: Draws) -> None:
    torch.manual_seed(0)
    prior = DynamicPrior(DYNAMIC, 8, clusters=3)
    with torch.no_grad():
        prior.shares.copy_(torch.tensor([0.6, 0.0, 0.4]))
        nn.init.zeros_(prior.head.log_std.weight)
        nn.init.constant_(prior.head.log_std.bias, -20.0)  # so narrow that z_0 determines the code
        drawn = prior.sample(2000, 1, draws(0))[:, 0]
        expected = prior(torch.zeros(3, 1, DYNAMIC), torch.arange(3)).mean[:, 0]
    nearest = torch.cdist(drawn, expected).argmin(dim=1).bincount(minlength=3) / 2000
    torch.testing.assert_close(nearest, prior.shares, atol=0.04, rtol=0)


def test_a_continuation_follows_the_cluster_and_the_codes_before_it(
    draws: Callable[[int], Generator],
) -> None:
    prior = DynamicPrior(2, 8, clusters=3)
    codes = prior.sample(4, 6, draws(0))
    longer = prior.continuation(codes, 3, draws(1))
    assert longer.shape == (4, 3, 2)
    assert torch.equal(longer, prior.continuation(codes, 3, draws(1)))
    assert not torch.equal(longer, prior.continuation(codes + 1, 3, draws(1)))
