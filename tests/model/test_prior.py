"""The prior of motion: teacher forcing and free running are one step function."""

from collections.abc import Callable

import pytest
import torch
from torch import Generator, Tensor, nn

from s3vae.model.prior import DynamicPrior, State

BATCH, TIME, DYNAMIC = 3, 6, 4
Draws = Callable[[int], Generator]
ALIKE = torch.zeros(BATCH, dtype=torch.long)


@pytest.fixture
def prior() -> DynamicPrior:
    torch.manual_seed(0)
    return DynamicPrior(DYNAMIC, 8)


@pytest.fixture
def codes(draws: Draws) -> Tensor:
    return torch.randn(BATCH, TIME, DYNAMIC, generator=draws(0))


def test_teacher_forcing_is_the_step_repeated_on_the_true_codes(
    prior: DynamicPrior, codes: Tensor
) -> None:
    forced = prior(codes, ALIKE)
    before, state = torch.zeros(BATCH, 1, DYNAMIC), None
    for time in range(TIME):
        following, state = prior.step(before, state)
        torch.testing.assert_close(following.mean[:, 0], forced.mean[:, time])
        torch.testing.assert_close(following.std[:, 0], forced.std[:, time])
        before = codes[:, time : time + 1]


def test_free_running_draws_are_draws_of_the_teacher_forced_prior(
    prior: DynamicPrior, draws: Draws
) -> None:
    drawn, noise = prior.sample(BATCH, TIME, draws(1)), draws(1)
    torch.multinomial(prior.shares, BATCH, replacement=True, generator=noise)  # the clusters
    expected = prior(drawn, ALIKE)
    for time in range(TIME):
        draw = torch.randn(BATCH, 1, DYNAMIC, generator=noise)[:, 0]
        torch.testing.assert_close(
            drawn[:, time], expected.mean[:, time] + expected.std[:, time] * draw
        )


def test_a_code_is_foretold_from_those_before_it_alone(prior: DynamicPrior, codes: Tensor) -> None:
    given = codes.requires_grad_()
    prior(given, ALIKE).mean[:, 3].sum().backward()
    assert given.grad is not None
    assert (given.grad.abs().sum(dim=(0, 2)) > 0).tolist() == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]


def test_without_clusters_the_first_code_has_the_same_prior_in_every_clip(
    prior: DynamicPrior, codes: Tensor
) -> None:
    first = prior(codes, ALIKE).mean[:, 0]
    torch.testing.assert_close(first, first[:1].expand(BATCH, -1))


@pytest.mark.parametrize("time", [1, 2, 9])
def test_motions_may_be_of_any_length(time: int, prior: DynamicPrior, draws: Draws) -> None:
    assert prior.sample(2, time, draws(0)).shape == (2, time, DYNAMIC)


def test_longer_motions_begin_as_shorter_ones(prior: DynamicPrior, draws: Draws) -> None:
    short, long = (prior.sample(2, time, draws(0)) for time in (3, 5))
    assert torch.equal(short, long[:, :3])


def test_clips_are_drawn_apart(prior: DynamicPrior, draws: Draws) -> None:
    one, other = prior.sample(2, TIME, draws(0))
    assert not torch.isclose(one, other).any()


def test_the_state_goes_on_from_chunk_to_chunk(prior: DynamicPrior, codes: Tensor) -> None:
    state: State = None
    whole = prior.step(codes)[0].mean
    first, state = prior.step(codes[:, :2], state)
    second, _ = prior.step(codes[:, 2:], state)
    torch.testing.assert_close(torch.cat([first.mean, second.mean], dim=1), whole)


def test_with_clusters_motions_begin_in_a_code_of_their_own(codes: Tensor) -> None:
    torch.manual_seed(0)
    prior = DynamicPrior(DYNAMIC, 8, clusters=2)
    first = prior(codes, torch.tensor([0, 1, 0])).mean[:, 0]
    torch.testing.assert_close(first[0], first[2])
    assert not torch.isclose(first[0], first[1]).any()


def test_clusters_are_drawn_as_often_as_they_are_frequent(draws: Draws) -> None:
    torch.manual_seed(0)
    prior = DynamicPrior(DYNAMIC, 8, clusters=3)
    assert prior.starts is not None
    with torch.no_grad():
        prior.shares.copy_(torch.tensor([0.6, 0.0, 0.4]))
        nn.init.zeros_(prior.head.log_std.weight)
        nn.init.constant_(prior.head.log_std.bias, -20.0)  # so narrow that the start tells the code
        drawn = prior.sample(2000, 1, draws(0))[:, 0]
        expected = prior(torch.zeros(3, 1, DYNAMIC), torch.arange(3)).mean[:, 0]
    nearest = torch.cdist(drawn, expected).argmin(dim=1).bincount(minlength=3) / 2000
    torch.testing.assert_close(nearest, prior.shares, atol=0.04, rtol=0)
