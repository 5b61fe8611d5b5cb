"""What the posteriors may see, and of what order they may know."""

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
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(BATCH, TIME, FEATURES, generator=generator)


def with_another_future() -> Tensor:
    """The same features up to frame NOW, others after it."""
    return torch.cat([features()[:, : NOW + 1], features(seed=1)[:, NOW + 1 :]], dim=1)


def test_a_causal_posterior_does_not_see_the_future() -> None:
    posterior = DynamicPosterior(FEATURES, HIDDEN, 4, causal=True)
    one, other = posterior(features()), posterior(with_another_future())
    torch.testing.assert_close(one.mean[:, : NOW + 1], other.mean[:, : NOW + 1])
    torch.testing.assert_close(one.std[:, : NOW + 1], other.std[:, : NOW + 1])
    assert not torch.isclose(one.mean[:, NOW + 1 :], other.mean[:, NOW + 1 :]).any()


def test_a_non_causal_posterior_does_see_the_future() -> None:
    posterior = DynamicPosterior(FEATURES, HIDDEN, 4, causal=False)
    one, other = posterior(features()), posterior(with_another_future())
    assert not torch.isclose(one.mean[:, : NOW + 1], other.mean[:, : NOW + 1]).any()


@pytest.mark.parametrize(("causal", "last_seen"), [(True, NOW), (False, TIME - 1)])
def test_gradients_of_a_code_reach_the_frames_it_may_see(causal: bool, last_seen: int) -> None:
    given = features().requires_grad_()
    posterior = DynamicPosterior(FEATURES, HIDDEN, 4, causal=causal)
    posterior(given).mean[:, NOW].sum().backward()
    assert given.grad is not None
    seen = given.grad.abs().sum(dim=(0, 2)) > 0
    assert seen.tolist() == [time <= last_seen for time in range(TIME)]


def test_the_pooled_static_posterior_is_blind_to_the_order_of_frames() -> None:
    posterior, order = PooledStatic(FEATURES, HIDDEN, 4), torch.randperm(TIME)
    one, other = posterior(features()), posterior(features()[:, order])
    torch.testing.assert_close(one.mean, other.mean)
    torch.testing.assert_close(one.std, other.std)


def test_the_pooled_static_posterior_does_not_count_frames() -> None:
    posterior = PooledStatic(FEATURES, HIDDEN, 4)
    one, other = posterior(features()), posterior(features().repeat(1, 2, 1))
    torch.testing.assert_close(one.mean, other.mean)


def test_the_recurrent_static_posterior_knows_the_order_of_frames() -> None:
    posterior = RecurrentStatic(FEATURES, HIDDEN, 4)
    one, other = posterior(features()), posterior(features().flip(1))
    assert not torch.isclose(one.mean, other.mean).any()


@pytest.mark.parametrize("kind", [PooledStatic, RecurrentStatic])
def test_the_static_posterior_sees_all_frames(
    kind: type[PooledStatic] | type[RecurrentStatic],
) -> None:
    given = features().requires_grad_()
    kind(FEATURES, HIDDEN, 4)(given).mean.sum().backward()
    assert given.grad is not None
    assert (given.grad.abs().sum(dim=2) > 0).all()


@pytest.mark.parametrize("deaf", [slice(HIDDEN), slice(HIDDEN, None)])
def test_each_direction_of_the_recurrent_static_posterior_sees_all_frames(deaf: slice) -> None:
    """The last forward and the first backward state, not what stands beside them."""
    given, posterior = features().requires_grad_(), RecurrentStatic(FEATURES, HIDDEN, 4)
    with torch.no_grad():
        posterior.head.mean.weight[:, deaf] = 0
    posterior(given).mean.sum().backward()
    assert given.grad is not None
    assert (given.grad.abs().sum(dim=2) > 0).all()


@pytest.mark.parametrize("kind", [PooledStatic, RecurrentStatic])
def test_clips_of_a_batch_do_not_see_each_other(
    kind: type[PooledStatic] | type[RecurrentStatic],
) -> None:
    posterior = kind(FEATURES, HIDDEN, 4)
    torch.testing.assert_close(posterior(features()).mean[:1], posterior(features()[:1]).mean)


def test_the_std_keeps_within_its_range_whatever_the_features() -> None:
    std = GaussianHead(FEATURES, 4)(1e6 * features()).std
    low, high = (torch.tensor(bound).exp() for bound in LOG_STD_RANGE)
    assert torch.isclose(std.min(), low)
    assert torch.isclose(std.max(), high)


def test_a_new_posterior_is_narrow() -> None:
    std = GaussianHead(FEATURES, 4)(torch.zeros(1, FEATURES)).std
    torch.testing.assert_close(std, torch.full((1, 4), -2.0).exp())


def test_a_framewise_posterior_sees_its_own_frame_alone() -> None:
    features = torch.randn(2, TIME, FEATURES, requires_grad=True)
    posterior = DynamicPosterior(FEATURES, HIDDEN, 4, causal=True, framewise=True)
    posterior(features).mean[:, NOW].sum().backward()
    assert features.grad is not None
    assert features.grad.abs().sum(dim=(0, 2)).nonzero().flatten().tolist() == [NOW]
