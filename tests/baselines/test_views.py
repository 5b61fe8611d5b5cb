"""What MoCoGAN's discriminators are given."""

from collections.abc import Callable

import pytest
import torch
from torch import Generator

from s3vae.baselines.mocogan.views import noisy, random_times, recolour, shift

Draws = Callable[[int], Generator]


def test_times_are_neighbours_or_every_second_from_any_start(draws: Draws) -> None:
    generator = draws(0)
    chosen = {tuple(random_times(6, 3, generator).tolist()) for _ in range(200)}
    neighbours = {(start, start + 1, start + 2) for start in range(4)}
    assert chosen == neighbours | {(0, 2, 4), (1, 3, 5)}


@pytest.mark.parametrize(("time", "expected"), [(1, [0]), (3, [0, 1, 2])])
def test_a_short_clip_is_taken_whole(time: int, expected: list[int], draws: Draws) -> None:
    assert random_times(time, time, draws(0)).tolist() == expected


def test_all_frames_of_a_clip_are_shifted_alike_and_edges_repeated(draws: Draws) -> None:
    video = torch.full((3, 2, 1, 32, 32), 0.5)
    video[:, :, :, 12:20, 12:20] = 1
    shifted = shift(video, 6, draws(0))
    assert torch.equal(shifted[:, 0], shifted[:, 1])
    assert not torch.allclose(shifted[0], shifted[1])
    assert shifted.min() == pytest.approx(0.5)
    weights = shifted[:, 0, 0] - 0.5
    rows = (weights.sum(2) * torch.arange(32)).sum(1) / weights.sum((1, 2))
    assert (rows - 15.5).abs().max() <= 6
    assert (rows - 15.5).abs().max() > 1


@pytest.mark.parametrize(("intensity", "most"), [(0.0, 0.1), (0.5, 0.2), (1.0, 0.3)])
def test_colours_change_by_a_gain_and_an_offset_alike_over_time(
    intensity: float, most: float, draws: Draws
) -> None:
    video = torch.full((200, 2, 3, 1, 1), intensity)
    changes = recolour(video, 0.2, draws(0)) - video
    assert torch.equal(changes[:, 0], changes[:, 1])
    assert 0.8 * most < changes.abs().max() <= most
    assert changes.std(dim=2).min() > 0


def test_noise_is_measured_in_halves_of_the_range(draws: Draws) -> None:
    frames = torch.full((4, 3, 64, 64), 0.5)
    assert noisy(frames, 0.1, draws(0)).std() == pytest.approx(0.05, rel=0.02)


def test_gradients_pass_through_all_changes(draws: Draws) -> None:
    video = torch.rand(2, 2, 3, 32, 32).requires_grad_()
    noisy(recolour(shift(video, 2, draws(0)), 0.2, draws(1)), 0.1, draws(2)).sum().backward()
    assert video.grad is not None
    assert (video.grad != 0).float().mean() > 0.8
