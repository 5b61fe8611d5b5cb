"""What a model does with videos."""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy import ndarray

from s3vae.app import model as models
from s3vae.app.codes import Codes
from s3vae.app.model import VideoModel
from s3vae.app.strangers import EncodedVideo
from s3vae.data import crops
from s3vae.data.crops import Box
from s3vae.model.static_prior import StaticPrior
from s3vae.tensors import to_bytes, to_unit


def test_a_swap_has_a_frame_for_each_of_the_motion(
    model: VideoModel, videos: tuple[Path, Path], noise: Callable[..., ndarray]
) -> None:
    swapped = model.swap(*videos)
    assert swapped.shape == (12, 64, 64, 3)
    assert swapped.dtype == np.uint8
    assert len(model.swap(noise(3), noise(9, 80, 100))) == 9


def test_a_clip_swapped_with_itself_is_its_reconstruction(clip: ndarray, model: VideoModel) -> None:
    with torch.no_grad():
        posterior = model.model.encode(to_unit(torch.from_numpy(clip[None])))
        whole = to_bytes(model.model.decode(posterior.static.mean, posterior.dynamic.mean))[0]
    assert np.abs(model.swap(clip, clip).astype(int) - whole.numpy()).max() <= 1


def test_a_swap_takes_each_code_from_its_donor(clip: ndarray, model: VideoModel) -> None:
    one, other = model.encode(clip), model.encode(255 - clip)
    mixed = model.decode(Codes(one.static, other.dynamic, other.times))
    assert np.array_equal(model.swap(clip, 255 - clip), mixed)


def test_codes_between_known_times_are_linear(model: VideoModel) -> None:
    codes = Codes(np.zeros(2, np.float32), np.float32([[0], [2]]), np.array([0.0, 1.0]))
    assert codes.at(np.array([0, 0.25, 1, 3])).dynamic[:, 0].tolist() == [0, 0.5, 2, 2]


def test_equal_seeds_draw_equal_clips(model: VideoModel) -> None:
    first, second = model.generate(2, 5, seed=3), model.generate(2, 5, seed=3)
    assert first.shape == (2, 5, 64, 64, 3)
    assert np.array_equal(first, second)
    assert not np.array_equal(first, model.generate(2, 5, seed=4))


def test_drawn_appearances_are_those_of_the_learned_prior(model: VideoModel) -> None:
    model = copy.deepcopy(model)
    prior = StaticPrior(model.model.architecture.static, [(1, model.model.architecture.static)])
    prior.parts[0].factors.zero_()
    model.model.static_prior = prior
    still = model.generate(2, 3)
    centre = np.zeros(model.model.architecture.static, np.float32)
    with torch.no_grad():
        generator = torch.Generator().manual_seed(0)
        model.model.draw_learned_static(2, generator)
        dynamic = model.model.draw_dynamic(2, 3, generator)[0].numpy()
    assert np.array_equal(still[0], model.decode(Codes(centre, dynamic, np.arange(3.0))))


@pytest.mark.parametrize("code", ["static", "dynamic"])
def test_the_middle_of_a_traversal_is_the_reconstruction(
    clip: ndarray, code: str, model: VideoModel
) -> None:
    grid = model.traverse(clip, code, directions=2, steps=3)
    assert grid.shape == (2, 3, 4, 64, 64, 3)
    assert np.array_equal(grid[0, 1], model.decode(model.encode(clip)))
    assert not np.array_equal(grid[0, 0], grid[0, 2])


def test_a_continued_video_begins_with_its_reconstruction(clip: ndarray, model: VideoModel) -> None:
    longer = model.continue_(clip, 3)
    assert len(longer) == 7
    assert np.array_equal(longer[:4], model.decode(model.encode(clip)))


def test_results_have_a_frame_for_each_of_the_video_though_the_model_reads_half_of_them(
    videos: tuple[Path, Path], model: VideoModel
) -> None:
    assert len(model.encode(videos[1]).times) == 6
    assert len(model.continue_(videos[1], 5)) == 12 + 5
    assert model.traverse(videos[1], directions=1, steps=1).shape[2] == 12


def test_adaptation_lowers_the_error_of_swaps_and_not_the_codes(
    clip: ndarray, model: VideoModel
) -> None:
    recording = model.open(clip)
    codes = model.encode(recording)
    adapted = model.adapted([EncodedVideo("noise", recording, codes)], 5)
    assert adapted.error(codes, recording) < model.error(codes, recording)
    assert np.array_equal(adapted.encode(clip).static, codes.static)
    assert np.array_equal(model.swap(clip, clip, adapt=5), adapted.decode(codes))


def test_a_model_is_adapted_to_one_frame_of_a_video_that_moves_as_none_of_training(
    clip: ndarray,
    model: VideoModel,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    recording = model.open(clip)
    codes = model.encode(recording)
    monkeypatch.setattr(models, "STRANGE", 0.0)
    first = replace(recording, taken=recording.taken[:1], times=recording.times[:1])
    still = model.adapted([EncodedVideo("still", first, codes.first(1))], 3)
    assert not caplog.text
    moving = model.adapted([EncodedVideo("noise", recording, codes)], 3)
    assert np.array_equal(moving.decode(codes), still.decode(codes))
    assert "noise: all frames together are drawn badly: only the first" in caplog.text


def test_codes_and_numbers_that_do_not_exist_are_refused(clip: ndarray, model: VideoModel) -> None:
    with pytest.raises(ValueError, match="name at least one"):
        model.continue_(clip, 0)
    with pytest.raises(ValueError, match="name at least one"):
        model.generate(2, 0)
    with pytest.raises(ValueError, match="name at least one"):
        model.traverse(clip, steps=0)
    codes = model.encode(clip)
    with pytest.raises(ValueError, match="no frames to decode"):
        model.decode(codes.first(0))
    with pytest.raises(ValueError, match="are not this model's"):
        model.decode(replace(codes, static=codes.static[1:]))
    with pytest.raises(ValueError, match="must be finite"):
        model.decode(replace(codes, dynamic=codes.dynamic * np.nan))


def test_the_box_of_a_single_face_is_moved_to_where_the_model_knows_it(
    model: VideoModel, noise: Callable[..., ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = copy.copy(model)
    model.preparation = replace(model.preparation, crop="face")
    monkeypatch.setattr(crops, "detect_face", lambda frame, size: Box(100, 100, 100, 100))
    monkeypatch.setattr(model, "error", lambda codes, each: abs(each.box.left - 114))
    assert model.open(noise(1, 300, 300)).box.left == 114
    assert model.open(noise(2, 300, 300)).box.left == 100
