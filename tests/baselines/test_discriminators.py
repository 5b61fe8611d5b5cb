"""MoCoGAN's discriminators, published and bounded."""

from collections.abc import Callable

import pytest
import torch
from torch import Generator

from s3vae.baselines.mocogan.bounded import BoundedClipDiscriminator, BoundedFrameDiscriminator
from s3vae.baselines.mocogan.published import (
    DIFFERENCE_SCALE,
    ClipDiscriminator,
    FrameDiscriminator,
)

Draws = Callable[[int], Generator]
TIME = 5


@pytest.mark.parametrize("time", [1, 3, 8])
def test_the_clip_discriminator_has_a_logit_per_clip_and_per_value(time: int, draws: Draws) -> None:
    clips = ClipDiscriminator(3, 4, {"action": 3, "place": 2}, time)
    verdict, logits = clips(torch.rand(2, time, 3, 64, 64, generator=draws(0)))
    assert verdict.shape == (2,)
    assert (logits["action"].shape, logits["place"].shape) == ((2, 3), (2, 2))


def test_the_clip_discriminator_depends_on_the_order_of_all_frames(draws: Draws) -> None:
    torch.manual_seed(0)
    video = torch.rand(1, 8, 3, 64, 64, generator=draws(0))
    clips = ClipDiscriminator(3, 4, {"action": 3}, 8).eval()
    verdict = clips(video)[0]
    for changed in (video.flip(1), video[:, [7, *range(1, 7), 0]]):
        assert not torch.allclose(clips(changed)[0], verdict)


def test_the_frame_discriminator_has_a_logit_per_patch(draws: Draws) -> None:
    frames = torch.rand(2, 3, 64, 64, generator=draws(0))
    assert FrameDiscriminator(3, 4)(frames).shape == (2, 4, 4)


def test_the_bounded_discriminator_of_clips_depends_on_the_order_of_frames(draws: Draws) -> None:
    torch.manual_seed(0)
    video = torch.rand(2, TIME, 3, 64, 64, generator=draws(0))
    clips = BoundedClipDiscriminator(3, 4, {"action": 3}).eval()
    verdict, logits = clips(video)
    assert (verdict.shape, logits["action"].shape) == ((2,), (2, 3))
    assert not torch.allclose(clips(video.flip(1))[0], verdict)
    assert BoundedFrameDiscriminator(3, 4).eval()(video[:, 0]).shape == (2,)


def test_with_differences_the_published_discriminator_gets_them_beside_the_frames(
    draws: Draws,
) -> None:
    clips = ClipDiscriminator(3, 4, {"action": 3}, TIME, differences=True).eval()
    given: list[torch.Tensor] = []
    clips.clip[0].register_forward_pre_hook(lambda _, inputs: given.extend(inputs))
    video = torch.rand(2, TIME, 3, 64, 64, generator=draws(0))
    clips(video)
    frames, differences = given[0].transpose(1, 2).chunk(2, dim=2)
    assert torch.equal(frames, 2 * video - 1)
    assert torch.allclose(differences, DIFFERENCE_SCALE * (video - video.mean(1, keepdim=True)))


def test_with_differences_a_slight_motion_changes_the_category_logits_more(draws: Draws) -> None:
    torch.manual_seed(0)
    plain = BoundedClipDiscriminator(3, 4, {"action": 3}).eval()
    differing = BoundedClipDiscriminator(3, 4, {"action": 3}, differences=True).eval()
    differing.load_state_dict(plain.state_dict(), strict=False)
    still = torch.rand(1, 1, 3, 64, 64, generator=draws(0)).expand(1, TIME, -1, -1, -1)
    moving = still.clone()
    moving[:, :, :, 30:34, 30:34] += 0.02 * torch.arange(TIME)[:, None, None, None]
    of_plain, of_differing = (
        (network(moving)[1]["action"] - network(still)[1]["action"]).norm()
        for network in (plain, differing)
    )
    assert of_differing > 20 * of_plain
