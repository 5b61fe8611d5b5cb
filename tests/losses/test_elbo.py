"""The ELBO: sums over pixels and time, means over clips, and subsets of the frames."""

from collections.abc import Callable
from itertools import combinations

import pytest
import torch
from torch import Generator, Tensor
from torch.distributions import Normal, kl_divergence

from s3vae.distributions import Gaussian
from s3vae.losses.elbo import dynamic_kl, frame_subset, reconstruction_error, static_kl, take_frames

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


POSTERIOR, PRIOR = (gaussian(BATCH, TIME, 6, seed=seed) for seed in (0, 1))
STATIC = gaussian(BATCH, 6, seed=0)


def terms(repeat: Callable[[Tensor], Tensor]) -> Tensor:
    """The reconstruction error and the dynamic KL of repeated inputs."""
    pair = [repeat(each) for each in videos()]
    one, other = (Gaussian(repeat(each.mean), repeat(each.std)) for each in (POSTERIOR, PRIOR))
    return torch.stack([reconstruction_error(*pair), dynamic_kl(one, other)])


def test_reconstruction_sums_squares_over_pixels_and_time_and_averages_over_clips() -> None:
    decoded, video = (each.repeat(1, 1, 1, 16, 16) for each in videos())  # 64x64 pixels
    expected = sum(((decoded[i] - video[i]) ** 2).sum() for i in range(BATCH)) / BATCH
    torch.testing.assert_close(reconstruction_error(decoded, video), expected)


def test_enlarging_frames_does_not_change_a_term() -> None:
    larger = terms(lambda x: x.repeat(1, 1, 1, 2, 3) if x.ndim == 5 else x)
    torch.testing.assert_close(larger, terms(torch.clone))


def test_both_kls_are_those_of_torch_summed_over_time_and_averaged_over_clips() -> None:
    def reference(one: Gaussian, other: Gaussian) -> Tensor:
        return kl_divergence(Normal(one.mean, one.std), Normal(other.mean, other.std)).sum() / BATCH

    standard = Gaussian(torch.zeros_like(STATIC.mean), torch.ones_like(STATIC.mean))
    torch.testing.assert_close(static_kl(STATIC), reference(STATIC, standard))
    torch.testing.assert_close(dynamic_kl(POSTERIOR, PRIOR), reference(POSTERIOR, PRIOR))
    assert static_kl(standard) == dynamic_kl(POSTERIOR, POSTERIOR) == 0


def test_doubling_the_batch_does_not_change_a_term() -> None:
    torch.testing.assert_close(terms(lambda x: torch.cat([x, x], dim=0)), terms(torch.clone))
    doubled = Gaussian(STATIC.mean.repeat(2, 1), STATIC.std.repeat(2, 1))
    torch.testing.assert_close(static_kl(doubled), static_kl(STATIC))


def test_doubling_the_time_doubles_what_is_summed_over_time() -> None:
    torch.testing.assert_close(terms(lambda x: torch.cat([x, x], dim=1)), 2 * terms(torch.clone))


@pytest.mark.parametrize("count", range(1, TIME + 1))
def test_the_error_of_a_subset_of_frames_is_unbiased(count: int) -> None:
    """Its mean over all subsets of that size is the error of the whole clip."""
    errors = []
    for subset in combinations(range(TIME), count):
        frames = torch.tensor(subset).expand(BATCH, -1)
        pair = (take_frames(each, frames) for each in videos())
        errors.append(reconstruction_error(*pair, frames_per_clip=TIME))
    torch.testing.assert_close(torch.stack(errors).mean(), reconstruction_error(*videos()))


@pytest.mark.parametrize("count", range(1, TIME + 1))
def test_all_subsets_of_frames_are_equally_likely(count: int, draws: Draws) -> None:
    subsets = frame_subset(4000, TIME, count, draws(0))
    choices, counts = torch.unique(subsets, dim=0, return_counts=True)
    assert choices.tolist() == [list(each) for each in combinations(range(TIME), count)]
    assert (counts / 4000 - 1 / len(choices)).abs().max() < 0.04


def test_a_subset_of_more_frames_than_there_are_has_each_once(draws: Draws) -> None:
    assert frame_subset(2, TIME, 99, draws(0)).tolist() == [list(range(TIME))] * 2


def test_the_frames_of_a_subset_are_taken_from_their_own_clip() -> None:
    frames = 100.0 * torch.arange(2)[:, None] + torch.arange(4)
    taken = take_frames(frames, torch.tensor([[0, 3], [1, 2]]))
    assert taken.tolist() == [[0, 3], [101, 102]]
