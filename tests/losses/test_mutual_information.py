"""Mutual information of codes: right where it is known, and what the published estimator hides."""

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
    """One number each, over all clips standard normal, with that correlation at every time."""
    generator = torch.Generator().manual_seed(0)
    shares, noise = torch.randn(2, clips, time + 1, generator=generator, dtype=torch.double)
    variance = 1 - std**2
    static = math.sqrt(variance) * shares[:, :1]
    rest = math.sqrt(variance - correlation**2 / variance)
    dynamic = correlation / variance * static[:, None] + rest * noise[:, :time, None]
    return drawn(static, dynamic, std, generator)


def with_clips_of_others(codes: Codes) -> Codes:
    """The null: each clip's z_t with the z_f of another clip."""
    static = Gaussian(codes.static.mean.roll(1, 0), codes.static.std.roll(1, 0))
    return codes._replace(static=static, static_code=codes.static_code.roll(1, 0))


def in_order(codes: Codes) -> Tensor:
    """The estimate of each number of z_t with the number of z_f at the same place."""
    return paired_information(*codes, torch.arange(codes.dynamic_code.shape[-1]))


def narrow(*, identical: bool, clips: int = 32, time: int = 3, dims: int = 8) -> Codes:
    """Narrow posteriors (std .1) whose codes are the same numbers, or have nothing in common."""
    generator = torch.Generator().manual_seed(0)
    static = torch.randn(clips, dims, generator=generator)
    other = torch.randn(clips, time, dims, generator=generator)
    dynamic = static[:, None].repeat(1, time, 1) if identical else other
    return drawn(static.requires_grad_(), dynamic, 0.1, generator)


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.6, 0.85])
def test_the_estimate_is_the_known_mutual_information_of_gaussians(correlation: float) -> None:
    known = -math.log(1 - correlation**2) / 2
    estimate = in_order(correlated(correlation))
    assert estimate.shape == (4, 1)
    assert (estimate - known).abs().max() < 0.08
    assert estimate.mean().item() == pytest.approx(known, abs=0.05)


def test_the_null_of_dependent_codes_is_near_zero() -> None:
    codes = correlated(0.85)
    assert in_order(codes).mean() > 0.5
    assert in_order(with_clips_of_others(codes)).mean().abs() < 0.05


def test_frames_add_up(draws: Draws) -> None:
    codes = correlated(0.85)
    torch.testing.assert_close(mutual_information(*codes, draws(0)), in_order(codes).sum())


def test_every_number_of_the_motion_is_compared_with_the_one_named(draws: Draws) -> None:
    """Of three numbers of z_f only the last is shared, with the only number of z_t."""
    shared = correlated(0.85)
    others = torch.randn(1000, 2, generator=draws(0), dtype=torch.double)
    mean = torch.cat([others, shared.static.mean], dim=1)
    codes = drawn(mean, shared.dynamic.mean, 0.3, draws(1))
    of_each = [
        paired_information(*codes, torch.tensor([place])).mean().item() for place in range(3)
    ]
    assert of_each[2] > 0.5
    assert max(of_each[:2]) < 0.05


def test_over_many_draws_every_pair_of_numbers_counts(draws: Draws) -> None:
    shared = correlated(0.85, clips=100)
    others = torch.randn(100, 2, generator=draws(0), dtype=torch.double)
    codes = drawn(
        torch.cat([others, shared.static.mean], dim=1), shared.dynamic.mean, 0.3, draws(1)
    )
    found = [mutual_information(*codes, draws(seed)).item() for seed in range(60)]
    assert sum(value > 1 for value in found) / 60 == pytest.approx(1 / 3, abs=0.15)


def test_mutual_information_is_never_negative(draws: Draws) -> None:
    codes = narrow(identical=False)
    assert in_order(codes).max() < 0
    assert mutual_information(*codes, draws(0)) == 0


def test_our_estimator_tells_identical_codes_from_independent_ones(draws: Draws) -> None:
    assert in_order(narrow(identical=True)).relu().sum() > 1
    assert in_order(narrow(identical=False)).relu().sum() == 0


def test_identical_codes_have_a_gradient_that_parts_them() -> None:
    codes = narrow(identical=True)
    (slope,) = grad(in_order(codes).relu().sum(), codes.static.mean)
    assert slope.abs().max() > 0.1


def test_the_published_estimate_of_narrow_posteriors_is_a_constant_whatever_the_codes() -> None:
    """log(training clips x batch) per frame, with no gradient: the trap that ours avoids."""
    for identical in (False, True):
        codes = narrow(identical=identical)
        published = published_mutual_information(*codes, 1000)
        assert published.item() == pytest.approx(3 * math.log(1000 * 32), rel=1e-4)
        (slope,) = grad(published, codes.static.mean)
        assert slope.abs().max() < 1e-4


def test_the_number_of_training_clips_is_but_a_constant_in_the_published_estimate() -> None:
    codes = correlated(0.6, clips=50)
    one, other = (published_mutual_information(*codes, clips) for clips in (1000, 2000))
    assert (other - one).item() == pytest.approx(4 * math.log(2))


def test_no_clip_counts_in_its_own_mixture() -> None:
    """Two clips: each is judged by the other's posterior alone, so the estimate is exactly 0."""
    codes = drawn(torch.randn(2, 3), torch.randn(2, 4, 3), 0.5, torch.Generator().manual_seed(0))
    torch.testing.assert_close(in_order(codes), torch.zeros(4, 3))
