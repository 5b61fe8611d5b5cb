"""The ELBO: what is summed, what is averaged, and that a few frames stand for all."""

from collections.abc import Callable
from itertools import combinations

import pytest
import torch
from torch import Generator, Tensor
from torch.distributions import Normal, kl_divergence

from s3vae.distributions import Gaussian
from s3vae.losses.elbo import (
    charbonnier_error,
    dynamic_kl,
    frame_subset,
    reconstruction_error,
    static_kl,
    take_frames,
)

BATCH, TIME = 3, 5
Draws = Callable[[int], Generator]


def videos() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    decoded, video = torch.rand(2, BATCH, TIME, 3, 4, 4, generator=generator, dtype=torch.double)
    return decoded, video


def gaussian(*shape: int, seed: int) -> Gaussian:
    generator = torch.Generator().manual_seed(seed)
    mean, log_std = torch.randn(2, *shape, generator=generator, dtype=torch.double)
    return Gaussian(mean, log_std.exp())


def joined(one: Gaussian, dim: int) -> Gaussian:
    """The same twice along an axis."""
    return Gaussian(torch.cat([one.mean] * 2, dim), torch.cat([one.std] * 2, dim))


def twice(dim: int) -> tuple[Tensor, Tensor]:
    """The videos, each twice along an axis."""
    decoded, video = videos()
    return torch.cat([decoded, decoded], dim), torch.cat([video, video], dim)


def test_reconstruction_sums_squares_over_pixels_and_time_and_averages_over_clips() -> None:
    decoded, video = videos()
    expected = sum(((decoded[i] - video[i]) ** 2).sum() for i in range(BATCH)) / BATCH
    torch.testing.assert_close(reconstruction_error(decoded, video), expected)


def test_a_perfect_reconstruction_costs_nothing() -> None:
    _, video = videos()
    assert reconstruction_error(video, video) == 0


def test_white_for_black_costs_one_per_number() -> None:
    black = torch.zeros(2, 3, 1, 4, 4)
    assert reconstruction_error(black + 1, black) == 3 * 16


def test_charbonnier_and_squared_errors_have_equal_slopes_at_the_crossover() -> None:
    def slope(error: float, *, charbonnier: bool) -> float:
        decoded = torch.full((1, 1, 1, 1, 1), error, dtype=torch.double, requires_grad=True)
        black = torch.zeros_like(decoded)
        if charbonnier:
            loss = charbonnier_error(decoded, black, epsilon=1e-4, crossover=0.1)
        else:
            loss = reconstruction_error(decoded, black)
        loss.backward()
        assert decoded.grad is not None
        return decoded.grad.item()

    close = pytest.approx
    assert slope(0.1, charbonnier=True) == close(slope(0.1, charbonnier=False), rel=1e-4)
    assert slope(0.5, charbonnier=True) == close(slope(0.1, charbonnier=True), rel=1e-4)
    assert slope(0.01, charbonnier=True) > 9 * slope(0.01, charbonnier=False)


def test_charbonnier_errors_of_some_frames_stand_for_the_clip() -> None:
    decoded, video = videos()
    shape = {"epsilon": 0.01, "crossover": 0.1}
    each = [
        charbonnier_error(decoded[:, [t]], video[:, [t]], frames_per_clip=TIME, **shape)
        for t in range(TIME)
    ]
    whole = charbonnier_error(decoded, video, **shape)
    torch.testing.assert_close(torch.stack(each).mean(), whole)
    torch.testing.assert_close(charbonnier_error(*twice(dim=0), **shape), whole)
    assert charbonnier_error(video, video, **shape) == 0


def test_the_static_kl_is_that_of_torch_to_the_standard_normal() -> None:
    posterior = gaussian(BATCH, 6, seed=0)
    standard = Normal(torch.zeros_like(posterior.mean), torch.ones_like(posterior.mean))
    expected = kl_divergence(Normal(posterior.mean, posterior.std), standard).sum() / BATCH
    torch.testing.assert_close(static_kl(posterior), expected)


def test_the_dynamic_kl_is_that_of_torch_summed_over_time() -> None:
    posterior, prior = gaussian(BATCH, TIME, 6, seed=0), gaussian(BATCH, TIME, 6, seed=1)
    each = kl_divergence(Normal(posterior.mean, posterior.std), Normal(prior.mean, prior.std))
    torch.testing.assert_close(dynamic_kl(posterior, prior), each.sum() / BATCH)


def test_a_posterior_that_is_the_prior_costs_nothing() -> None:
    posterior = gaussian(BATCH, TIME, 6, seed=0)
    assert dynamic_kl(posterior, posterior) == 0
    assert static_kl(Gaussian(torch.zeros(2, 3), torch.ones(2, 3))) == 0


def test_doubling_the_batch_does_not_change_a_term() -> None:
    close = torch.testing.assert_close
    close(reconstruction_error(*twice(dim=0)), reconstruction_error(*videos()))
    static = gaussian(BATCH, 6, seed=0)
    close(static_kl(joined(static, 0)), static_kl(static))
    posterior, prior = gaussian(BATCH, TIME, 6, seed=0), gaussian(BATCH, TIME, 6, seed=1)
    close(dynamic_kl(joined(posterior, 0), joined(prior, 0)), dynamic_kl(posterior, prior))


def test_doubling_the_time_doubles_what_is_summed_over_time() -> None:
    close = torch.testing.assert_close
    close(reconstruction_error(*twice(dim=1)), 2 * reconstruction_error(*videos()))
    posterior, prior = gaussian(BATCH, TIME, 6, seed=0), gaussian(BATCH, TIME, 6, seed=1)
    close(dynamic_kl(joined(posterior, 1), joined(prior, 1)), 2 * dynamic_kl(posterior, prior))


@pytest.mark.parametrize("count", range(1, TIME + 1))
def test_the_error_of_some_frames_is_that_of_all_in_the_mean_over_all_choices(count: int) -> None:
    decoded, video = videos()
    errors = []
    for chosen in combinations(range(TIME), count):
        frames = torch.tensor(chosen).expand(BATCH, -1)
        shown = take_frames(decoded, frames), take_frames(video, frames)
        errors.append(reconstruction_error(*shown, frames_per_clip=TIME))
    torch.testing.assert_close(torch.stack(errors).mean(), reconstruction_error(decoded, video))


@pytest.mark.parametrize("count", range(1, TIME + 1))
def test_every_choice_of_frames_is_as_likely(count: int, draws: Draws) -> None:
    subsets = frame_subset(4000, TIME, count, draws(0))
    choices, counts = torch.unique(subsets, dim=0, return_counts=True)
    assert choices.tolist() == [list(each) for each in combinations(range(TIME), count)]
    assert (counts / 4000 - 1 / len(choices)).abs().max() < 0.04


def test_asking_for_more_frames_than_there_are_gives_each_once(draws: Draws) -> None:
    assert frame_subset(2, TIME, 99, draws(0)).tolist() == [list(range(TIME))] * 2


def test_each_clip_is_given_its_own_frames() -> None:
    numbers = 100 * torch.arange(2)[:, None] + torch.arange(4)
    taken = take_frames(numbers.float(), torch.tensor([[0, 3], [1, 2]]))
    assert taken.tolist() == [[0, 3], [101, 102]]
