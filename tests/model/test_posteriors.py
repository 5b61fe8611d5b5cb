"""The posteriors: which frames each code depends on, and the range of the deviations."""

import pytest
import torch
from torch import Tensor

from s3vae.model.posteriors import (
    LOG_STD_RANGE,
    DynamicPosterior,
    GaussianHead,
    PooledStatic,
    RecurrentStatic,
)

BATCH, TIME, FEATURES, HIDDEN = 3, 6, 5, 7
NOW = 2


def features(seed: int = 0) -> Tensor:
    return torch.randn(BATCH, TIME, FEATURES, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("causal", "framewise", "frames"),
    [(True, False, [0, 1, 2]), (False, False, [0, 1, 2, 3, 4, 5]), (True, True, [2])],
    ids=["causal", "both directions", "framewise"],
)
def test_gradients_of_a_dynamic_code_reach_the_frames_it_depends_on(
    causal: bool, framewise: bool, frames: list[int]
) -> None:
    inputs = features().requires_grad_()
    posterior = DynamicPosterior(FEATURES, HIDDEN, 4, causal=causal, framewise=framewise)
    gaussian = posterior(inputs)
    for each in (gaussian.mean, gaussian.std):
        (gradient,) = torch.autograd.grad(each[:, NOW].sum(), inputs, retain_graph=True)
        assert gradient.any(dim=2).any(dim=0).nonzero().flatten().tolist() == frames


def test_the_pooled_static_posterior_is_invariant_to_order_and_number_of_frames() -> None:
    posterior, order = PooledStatic(FEATURES, HIDDEN, 4), torch.randperm(TIME)
    one = posterior(features())
    for changed in (features()[:, order], features().repeat(1, 2, 1)):
        other = posterior(changed)
        torch.testing.assert_close(one.mean, other.mean)
        torch.testing.assert_close(one.std, other.std)


def test_the_recurrent_static_posterior_depends_on_the_order_of_frames() -> None:
    posterior = RecurrentStatic(FEATURES, HIDDEN, 4)
    assert not torch.isclose(posterior(features()).mean, posterior(features().flip(1)).mean).any()


@pytest.mark.parametrize(
    ("kind", "masked"),
    [
        (PooledStatic, slice(0)),
        (RecurrentStatic, slice(0)),
        (RecurrentStatic, slice(HIDDEN)),
        (RecurrentStatic, slice(HIDDEN, None)),
    ],
)
def test_the_static_code_depends_on_all_frames(
    kind: type[PooledStatic | RecurrentStatic], masked: slice
) -> None:
    """This holds for each direction alone: its last state in reading order is used."""
    inputs, posterior = features().requires_grad_(), kind(FEATURES, HIDDEN, 4)
    with torch.no_grad():
        posterior.head.mean.weight[:, masked] = 0
    posterior(inputs).mean.sum().backward()
    assert inputs.grad.any(dim=2).all()


def test_the_std_starts_narrow_and_stays_within_its_range() -> None:
    std = GaussianHead(FEATURES, 4)(1e6 * features()).std
    low, high = (torch.tensor(bound).exp() for bound in LOG_STD_RANGE)
    assert torch.isclose(std.min(), low)
    assert torch.isclose(std.max(), high)
    new = GaussianHead(FEATURES, 4)(torch.zeros(1, FEATURES)).std
    torch.testing.assert_close(new, torch.full((1, 4), -2.0).exp())
