"""Mutual information of codes: agreement with known values, and the published estimator's trap."""

import math
from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
from torch import Generator, Tensor
from torch.autograd import grad

from s3vae.distributions import Gaussian
from s3vae.losses.mutual_information import (
    mutual_information,
    paired_information,
    published_mutual_information,
)

Draws = Callable[[int], Generator]


class Codes(NamedTuple):
    """Posteriors of both codes and a draw from each, in the order that the losses take them."""

    static: Gaussian
    dynamic: Gaussian
    static_code: Tensor
    dynamic_code: Tensor


def drawn(static: Tensor, dynamic: Tensor, std: float, generator: Generator) -> Codes:
    """Posteriors of these means, all of one std, and a draw from each."""
    of_static, of_dynamic = (
        Gaussian(mean, torch.full_like(mean, std)) for mean in (static, dynamic)
    )
    draws = of_static.sample(generator), of_dynamic.sample(generator)
    return Codes(of_static, of_dynamic, *draws)


def correlated(correlation: float, clips: int = 1000, time: int = 4, std: float = 0.3) -> Codes:
    """One dimension each, standard normal over clips, with that correlation at every time."""
    generator = torch.Generator().manual_seed(0)
    common, noise = torch.randn(2, clips, time + 1, generator=generator, dtype=torch.double)
    variance = 1 - std**2
    static = math.sqrt(variance) * common[:, :1]
    rest = math.sqrt(variance - correlation**2 / variance)
    dynamic = correlation / variance * static[:, None] + rest * noise[:, :time, None]
    return drawn(static, dynamic, std, generator)


def in_order(codes: Codes) -> Tensor:
    """The estimate for each dimension of z_t, paired with the same dimension of z_f."""
    return paired_information(*codes, torch.arange(codes.dynamic_code.shape[-1]))


def narrow(*, identical: bool, clips: int = 32, time: int = 3, dims: int = 8) -> Codes:
    """Narrow posteriors (std .1) with identical or with independent codes."""
    generator = torch.Generator().manual_seed(0)
    static = torch.randn(clips, dims, generator=generator)
    other = torch.randn(clips, time, dims, generator=generator)
    dynamic = static[:, None].repeat(1, time, 1) if identical else other
    return drawn(static.requires_grad_(), dynamic, 0.1, generator)


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.6, 0.85])
def test_the_estimate_is_the_known_mutual_information_of_gaussians_summed_over_frames(
    correlation: float, draws: Draws
) -> None:
    known, codes = -math.log(1 - correlation**2) / 2, correlated(correlation)
    estimate = in_order(codes)
    assert estimate.shape == (4, 1)
    assert (estimate - known).abs().max() < 0.08
    assert estimate.mean().item() == pytest.approx(known, abs=0.05)
    loss = mutual_information(*codes, draws(0))
    torch.testing.assert_close(loss, estimate.relu().sum())


def test_codes_of_different_clips_have_no_mutual_information() -> None:
    codes = correlated(0.85)
    static = Gaussian(codes.static.mean.roll(1, 0), codes.static.std.roll(1, 0))
    of_others = codes._replace(static=static, static_code=codes.static_code.roll(1, 0))
    assert in_order(codes).mean() > 0.5
    assert in_order(of_others).mean().abs() < 0.05


def with_two_independent_dimensions(draws: Draws) -> Codes:
    """Only the last of three dimensions of z_f depends on the dimension of z_t."""
    shared = correlated(0.85)
    others = torch.randn(1000, 2, generator=draws(0), dtype=torch.double)
    mean = torch.cat([others, shared.static.mean], dim=1)
    return drawn(mean, shared.dynamic.mean, 0.3, draws(1))


def test_each_dimension_of_z_t_is_paired_with_the_given_dimension_of_z_f(draws: Draws) -> None:
    codes = with_two_independent_dimensions(draws)
    estimates = [paired_information(*codes, torch.tensor([d])).mean().item() for d in range(3)]
    assert estimates[2] > 0.5
    assert max(estimates[:2]) < 0.05


def test_over_many_draws_all_pairs_of_dimensions_are_equally_likely(draws: Draws) -> None:
    codes = with_two_independent_dimensions(draws)
    codes = Codes(
        *(Gaussian(x.mean[:100], x.std[:100]) for x in codes[:2]), *(x[:100] for x in codes[2:])
    )
    estimates = [mutual_information(*codes, draws(seed)).item() for seed in range(60)]
    assert sum(value > 1 for value in estimates) / 60 == pytest.approx(1 / 3, abs=0.15)


def test_independent_codes_have_no_mutual_information_and_never_a_negative_one(
    draws: Draws,
) -> None:
    codes = narrow(identical=False)
    assert in_order(codes).max() < 0
    assert mutual_information(*codes, draws(0)) == 0


def test_identical_codes_have_mutual_information_and_a_gradient_that_reduces_it() -> None:
    codes = narrow(identical=True)
    estimate = in_order(codes).relu().sum()
    assert estimate > 1
    assert grad(estimate, codes.static.mean)[0].abs().max() > 0.1


def test_the_published_estimate_of_narrow_posteriors_is_constant() -> None:
    """log(training clips x batch) per frame, with no gradient: the trap that ours avoids."""
    for identical in (False, True):
        codes = narrow(identical=identical)
        published = published_mutual_information(*codes, 1000)
        assert published.item() == pytest.approx(3 * math.log(1000 * 32), rel=1e-4)
        (slope,) = grad(published, codes.static.mean)
        assert slope.abs().max() < 1e-4


def test_the_number_of_training_clips_adds_a_constant_to_the_published_estimate() -> None:
    codes = correlated(0.6, clips=50)
    one, other = (published_mutual_information(*codes, clips) for clips in (1000, 2000))
    assert (other - one).item() == pytest.approx(4 * math.log(2))


def test_a_clip_is_left_out_of_its_own_mixture() -> None:
    """With two clips, the mixture of each is the other's posterior: the estimate is exactly 0."""
    codes = drawn(torch.randn(2, 3), torch.randn(2, 4, 3), 0.5, torch.Generator().manual_seed(0))
    torch.testing.assert_close(in_order(codes), torch.zeros(4, 3))
