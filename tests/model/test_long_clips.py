"""Clips longer than those of training are encoded in windows, without gaps or seams."""

from dataclasses import replace

import pytest
import torch

from s3vae.model.architecture import Architecture
from s3vae.model.long_clips import decode_clip, encode_clip, window_starts
from s3vae.model.s3vae import S3VAE
from s3vae.tensors import RawVideo, to_bytes, to_unit


def model_of(sizes: Architecture) -> S3VAE:
    return S3VAE(replace(sizes, framewise=True, static_posterior="pooled")).eval()


def clip(time: int) -> RawVideo:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(256, (1, time, 64, 64, 3), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize(
    ("time", "window", "overlap"), [(7, 3, 1), (8, 3, 0), (9, 4, 3), (3, 4, 2), (1, 4, 2)]
)
def test_codes_of_single_frames_are_the_same_in_windows(
    time: int, window: int, overlap: int, tiny: Architecture
) -> None:
    model, frames = model_of(tiny), clip(time)
    dynamic = encode_clip(model, frames[0], time, window, overlap)[1]
    with torch.no_grad():
        whole = model.encode(to_unit(frames))
    torch.testing.assert_close(dynamic, whole.dynamic.mean[0])


def test_z_f_is_the_mean_over_windows(tiny: Architecture) -> None:
    model, frames = model_of(tiny), clip(6)
    static = encode_clip(model, frames[0], count=6, window=3, overlap=0)[0]
    with torch.no_grad():
        halves = [model.encode(half).static for half in to_unit(frames).split(3, dim=1)]
    torch.testing.assert_close(static, (halves[0].mean + halves[1].mean)[0] / 2)


def test_where_windows_overlap_the_second_replaces_the_first_step_by_step(
    tiny: Architecture, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, frames = model_of(tiny), torch.zeros(7, 64, 64, 3, dtype=torch.uint8)
    encode = model.encode

    def numbered(video: torch.Tensor) -> object:
        posterior = encode(video)
        posterior.dynamic.mean[:] = torch.arange(len(video))[:, None, None]
        return posterior

    monkeypatch.setattr(model, "encode", numbered)
    dynamic = encode_clip(model, frames, count=7, window=5, overlap=3)[1]
    torch.testing.assert_close(dynamic[:, 0], torch.tensor([0, 0, 0.25, 0.5, 0.75, 1, 1]))


def test_windows_cover_every_frame_and_none_beyond() -> None:
    assert window_starts(10, 4, 2) == [0, 2, 4, 6]
    assert window_starts(9, 4, 2) == [0, 2, 4, 5]
    assert window_starts(3, 4, 2) == [0]


@pytest.mark.parametrize("overlap", [-1, 3])
def test_an_overlap_outside_of_the_window_is_refused(overlap: int, tiny: Architecture) -> None:
    with pytest.raises(ValueError, match="choose 0 to 2"):
        encode_clip(model_of(tiny), clip(4)[0], 4, 3, overlap)


@pytest.mark.parametrize("count", [3, 5])
def test_frames_that_are_missing_or_too_many_are_reported(count: int, tiny: Architecture) -> None:
    with pytest.raises(ValueError, match=f"4 of {count} frames"):
        encode_clip(model_of(tiny), clip(4)[0], count, 3, 1)


def test_frames_decoded_some_at_a_time_are_those_of_the_whole_clip(tiny: Architecture) -> None:
    model = model_of(tiny)
    static, dynamic = torch.randn(tiny.static), torch.randn(70, tiny.dynamic)
    with torch.no_grad():
        whole = to_bytes(model.decode(static[None], dynamic[None]))[0]
    some = torch.stack([*decode_clip(model, static, dynamic)])
    assert (whole.int() - some.int()).abs().max() <= 1
