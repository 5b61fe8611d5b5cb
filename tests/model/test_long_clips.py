"""Clips longer than those of training are encoded in windows, without gaps or seams."""

from dataclasses import replace

import pytest
import torch

from s3vae.model.architecture import Architecture
from s3vae.model.long_clips import cross_faded, encode_windows
from s3vae.model.s3vae import S3VAE


def model_of(sizes: Architecture) -> S3VAE:
    return S3VAE(replace(sizes, framewise=True, static_posterior="pooled")).eval()


def video(time: int) -> torch.Tensor:
    return torch.rand(2, time, 3, 64, 64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("time", "window", "overlap"), [(7, 3, 1), (8, 3, 0), (9, 4, 3), (3, 4, 2)]
)
def test_codes_of_single_frames_are_the_same_in_windows(
    time: int, window: int, overlap: int, tiny: Architecture
) -> None:
    model, clips = model_of(tiny), video(time)
    windows, whole = encode_windows(model, clips, window, overlap), model.encode(clips)
    torch.testing.assert_close(windows.dynamic.mean, whole.dynamic.mean)
    torch.testing.assert_close(windows.dynamic.std, whole.dynamic.std)


def test_z_f_is_the_mean_over_windows(tiny: Architecture) -> None:
    model, clips = model_of(tiny), video(6)
    static = encode_windows(model, clips, window=3, overlap=0).static
    halves = [model.encode(half).static for half in clips.split(3, dim=1)]
    torch.testing.assert_close(static.mean, (halves[0].mean + halves[1].mean) / 2)
    torch.testing.assert_close(static.std, (halves[0].std + halves[1].std) / 2)


def test_where_windows_overlap_the_second_replaces_the_first_step_by_step() -> None:
    zeros, ones = torch.zeros(1, 5, 1), torch.ones(1, 5, 1)
    joined = cross_faded([zeros, ones], starts=[0, 2], overlap=3).flatten()
    torch.testing.assert_close(joined, torch.tensor([0, 0, 0.25, 0.5, 0.75, 1, 1]))


@pytest.mark.parametrize("overlap", [-1, 3])
def test_an_overlap_outside_of_the_window_is_refused(overlap: int, tiny: Architecture) -> None:
    with pytest.raises(ValueError, match="choose 0 to 2"):
        encode_windows(model_of(tiny), video(4), 3, overlap)
