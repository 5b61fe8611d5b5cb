"""Views: what each code is inferred from in training."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE
from s3vae.tensors import Video, deviations, mix_colours
from s3vae.training.presets import Views
from s3vae.training.views import encode_views, random_frames


@pytest.fixture
def video() -> Video:
    return torch.rand(3, 5, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_colours_change_by_one_affine_map_per_clip(video: Video) -> None:
    mixed = mix_colours(video, 0.4, seeded())
    for clip, changed in zip(video, mixed, strict=True):
        colours = clip.movedim(1, -1).reshape(-1, 3)
        inputs = torch.cat([colours, torch.ones(len(colours), 1)], dim=1)
        fitted = inputs @ torch.linalg.lstsq(inputs, changed.movedim(1, -1).reshape(-1, 3)).solution
        torch.testing.assert_close(fitted, changed.movedim(1, -1).reshape(-1, 3), atol=1e-3, rtol=0)
    assert (mixed[0] - mixed[1] - (video[0] - video[1])).abs().max() > 0.1
    torch.testing.assert_close(mix_colours(video, 0, seeded()), video)


def test_random_frames_are_frames_of_the_same_clip(video: Video) -> None:
    chosen = random_frames(video, 2, seeded())
    for clip, frames in zip(video, chosen, strict=True):
        places = [(clip == frame).flatten(1).all(dim=1).nonzero().item() for frame in frames]
        assert places == sorted(set(places))
    assert random_frames(video, 9, seeded()).equal(video)


def test_deviations_do_not_show_what_stays(video: Video) -> None:
    """A picture behind all frames, brightness and contrast leave deviations as they are."""
    before = deviations(video)
    picture = torch.rand(3, 1, 3, 64, 64, generator=seeded(1))
    torch.testing.assert_close(deviations(video + picture), before)
    torch.testing.assert_close(deviations(100 * video), deviations(50 * video), atol=1e-3, rtol=0)
    assert deviations(picture.expand(-1, 4, -1, -1, -1)).sub(0.5).abs().max() < 1e-5


@pytest.mark.parametrize("static_input", ["frames", "windows"])
@pytest.mark.parametrize("dynamic_input", ["frames", "deviations"])
def test_all_frames_in_their_own_colours_are_what_the_model_encodes(
    static_input: Any, dynamic_input: Any, tiny: Architecture, video: Video
) -> None:
    sizes = replace(tiny, static_input=static_input, dynamic_input=dynamic_input)
    model = S3VAE(sizes).eval()
    views = Views(static_frames=5, colour_jitter=0)
    posterior, _ = model.infer(*encode_views(model, video, views, seeded()), seeded())
    for one, other in zip(posterior, model.encode(video), strict=True):
        torch.testing.assert_close(one.mean, other.mean)
        torch.testing.assert_close(one.std, other.std)


def test_z_f_is_inferred_from_the_colours_of_few_frames_and_z_t_from_others(
    tiny: Architecture, video: Video
) -> None:
    model = S3VAE(tiny).eval()
    plain = model.encode(video)
    one_frame = Views(static_frames=1, colour_jitter=0)
    posterior, _ = model.infer(*encode_views(model, video, one_frame, seeded()), seeded())
    assert not torch.allclose(posterior.static.mean, plain.static.mean)
    torch.testing.assert_close(posterior.dynamic.mean, plain.dynamic.mean)
    all_frames = Views(static_frames=5, colour_jitter=0.5)
    posterior, _ = model.infer(*encode_views(model, video, all_frames, seeded()), seeded())
    torch.testing.assert_close(posterior.static.mean, plain.static.mean)
    assert not torch.allclose(posterior.dynamic.mean, plain.dynamic.mean)
