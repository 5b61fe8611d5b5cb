"""MoCoGAN's generator and its discriminators."""

from collections.abc import Callable

import pytest
import torch
from torch import Generator, Tensor

from s3vae.baselines.interface import Categories
from s3vae.baselines.mocogan.discriminators import ClipDiscriminator, FrameDiscriminator
from s3vae.baselines.mocogan.generator import MoCoGAN
from s3vae.model.architecture import Architecture

Draws = Callable[[int], Generator]
TIME = 5
ACTIONS = Categories("dynamic", {"action": 3})
DIGITS = Categories("static", {"one": 10, "other": 10})


def labels(*values: int) -> dict[str, Tensor]:
    return {"action": torch.tensor(values)}


def test_all_that_is_told_stands_in_one_row() -> None:
    told = DIGITS.one_hot({"one": torch.tensor([3, 0]), "other": torch.tensor([9, 1])})
    assert told.shape == (2, DIGITS.size)
    assert told.nonzero().tolist() == [[0, 3], [0, 19], [1, 0], [1, 11]]


def test_drawn_categories_are_equally_likely(draws: Draws) -> None:
    drawn = ACTIONS.draw(3000, draws(0))["action"]
    assert torch.bincount(drawn) / 3000 == pytest.approx(torch.full((3,), 1 / 3), abs=0.04)


def test_the_category_of_a_motion_decides_the_motion_and_not_the_content(
    tiny: Architecture, draws: Draws
) -> None:
    model = MoCoGAN(tiny, ACTIONS)
    one, other = (model.draw_dynamic(labels(value), TIME, draws(0)) for value in (0, 1))
    assert not torch.allclose(one, other)
    contents = [model.draw_static(labels(value), draws(0)) for value in (0, 1)]
    assert torch.equal(*contents)


def test_the_categories_of_a_content_decide_the_content_and_not_the_motion(
    tiny: Architecture, draws: Draws
) -> None:
    model = MoCoGAN(tiny, DIGITS)
    told = [{"one": torch.tensor([value]), "other": torch.tensor([9])} for value in (1, 2)]
    assert not torch.allclose(*(model.draw_static(each, draws(0)) for each in told))
    assert torch.equal(*(model.draw_dynamic(each, TIME, draws(0)) for each in told))


def test_a_motion_goes_on_from_what_was_drawn_before(tiny: Architecture, draws: Draws) -> None:
    """Longer motions of the same draws begin alike only where the recurrence is causal."""
    model = MoCoGAN(tiny, ACTIONS)
    noise = torch.randn(1, TIME, tiny.dynamic + 3, generator=draws(0))
    states = model.recurrent(noise)[0]
    assert torch.allclose(model.recurrent(noise[:, :2])[0], states[:, :2], atol=1e-6)
    noise[:, 0] += 1
    assert not torch.allclose(model.recurrent(noise)[0][:, -1], states[:, -1])


def test_clips_have_their_shape_and_are_intensities(tiny: Architecture, draws: Draws) -> None:
    model = MoCoGAN(tiny, ACTIONS)
    told = labels(0, 2)
    video = model.decode(
        model.draw_static(told, draws(0)), model.draw_dynamic(told, TIME, draws(1))
    )
    assert video.shape == (2, TIME, 3, 64, 64)
    assert 0 <= video.min() <= video.max() <= 1


def test_a_discriminator_of_clips_knows_their_order_and_one_of_frames_knows_none(
    draws: Draws,
) -> None:
    torch.manual_seed(0)
    video = torch.rand(2, TIME, 3, 64, 64, generator=draws(0))
    clips = ClipDiscriminator(3, 4, {"action": 3}).eval()
    verdict, logits = clips(video)
    assert (verdict.shape, logits["action"].shape) == ((2,), (2, 3))
    assert not torch.allclose(clips(video.flip(1))[0], verdict)
    assert FrameDiscriminator(3, 4).eval()(video[:, 0]).shape == (2,)


def told_by_a_slight_motion(discriminator: ClipDiscriminator, draws: Draws) -> float:
    """By how much what is said of the category changes if a still clip moves a little instead."""
    still = torch.rand(1, 1, 3, 64, 64, generator=draws(0)).expand(1, TIME, -1, -1, -1)
    moving = still.clone()
    moving[:, :, :, 30:34, 30:34] += 0.02 * torch.arange(TIME)[:, None, None, None]
    logits = [discriminator.eval()(video)[1]["action"] for video in (still, moving)]
    return (logits[1] - logits[0]).norm().item()


def test_with_differences_a_slight_motion_tells_of_the_category(draws: Draws) -> None:
    torch.manual_seed(0)
    plain = ClipDiscriminator(3, 4, {"action": 3})
    differing = ClipDiscriminator(3, 4, {"action": 3}, differences=True)
    differing.load_state_dict(plain.state_dict(), strict=False)
    assert told_by_a_slight_motion(differing, draws) > 20 * told_by_a_slight_motion(plain, draws)
