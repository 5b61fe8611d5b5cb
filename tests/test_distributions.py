"""The Gaussian agrees with torch.distributions."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Generator
from torch.distributions import Independent, Normal, kl_divergence

from s3vae.distributions import Gaussian, standard_normal

Draws = Callable[[int], Generator]


def some(*shape: int, seed: int) -> Gaussian:
    """A Gaussian of that shape, in double precision."""
    generator = torch.Generator().manual_seed(seed)
    mean, log_std = torch.randn(2, *shape, generator=generator, dtype=torch.double)
    return Gaussian(mean, log_std.exp())


def reference(gaussian: Gaussian) -> Any:
    return Independent(Normal(gaussian.mean, gaussian.std), 1)


def test_kl_and_densities_are_those_of_torch() -> None:
    one, other = some(4, 3, 5, seed=0), some(4, 3, 5, seed=1)
    close = torch.testing.assert_close
    close(one.kl(other), kl_divergence(reference(one), reference(other)))
    close(one.log_density(other.mean), reference(one).log_prob(other.mean))
    assert torch.equal(one.kl(one), torch.zeros(4, 3, dtype=torch.double))


def test_pairwise_log_density_is_that_of_torch_for_every_pair() -> None:
    columns, rows = some(2, 6, 5, seed=0), some(2, 4, 5, seed=1).mean
    expanded = Gaussian(columns.mean[:, None], columns.std[:, None])
    expected = reference(expanded).log_prob(rows[:, :, None])
    assert expected.shape == (2, 4, 6)
    torch.testing.assert_close(columns.pairwise_log_density(rows), expected)


def test_pairwise_log_density_in_single_precision_is_exact_to_a_tenth_of_a_nat() -> None:
    """For 256 dimensions of std .05; the error of the expanded square grows as the std shrinks."""
    generator = torch.Generator().manual_seed(0)
    mean = torch.randn(32, 256, generator=generator)
    single = Gaussian(mean, torch.full_like(mean, 0.05))
    double = Gaussian(mean.double(), single.std.double())
    value = single.sample(generator)
    error = single.pairwise_log_density(value) - double.pairwise_log_density(value.double())
    assert error.abs().max() < 0.1


def test_draws_have_mean_and_std(draws: Draws) -> None:
    mean, std = torch.tensor([3.0, -1.0]), torch.tensor([0.5, 2.0])
    drawn = Gaussian(mean.expand(20_000, 2), std.expand(20_000, 2)).sample(draws(0))
    torch.testing.assert_close(drawn.mean(0), mean, atol=0.05, rtol=0)
    torch.testing.assert_close(drawn.std(0), std, atol=0.05, rtol=0)


def test_gradients_of_a_draw_reach_mean_and_std(draws: Draws) -> None:
    mean, std = torch.zeros(3, requires_grad=True), torch.ones(3, requires_grad=True)
    Gaussian(mean, std).sample(draws(0)).sum().backward()
    assert torch.equal(mean.grad, torch.ones(3))
    torch.testing.assert_close(std.grad, torch.randn(3, generator=draws(0)))


def test_the_standard_normal_has_mean_0_and_std_1() -> None:
    gaussian = standard_normal(2, 3)
    assert torch.equal(gaussian.mean, torch.zeros(2, 3))
    assert torch.equal(gaussian.std, torch.ones(2, 3))
