"""Continued clips: near what came, and neither frozen nor restless."""

import math

import pytest
import torch
from torch import Tensor

from s3vae.evaluation.continuation import (
    TIMES_AS_LONG,
    Continued,
    continued,
    errors,
    known_frames,
    motion_left,
)
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE

TIME = 6


def blinking(clips: int, time: int, period: int = 2) -> Tensor:
    """Return clips that are black and white in turn."""
    levels = (torch.arange(time) % period == 0).float()
    return levels[None, :, None, None, None].expand(clips, -1, 1, 4, 4)


def test_a_clip_goes_on_from_its_first_half(tiny: Architecture) -> None:
    torch.manual_seed(0)
    model, video = S3VAE(tiny).eval(), torch.rand(2, TIME, 3, 64, 64)
    found = continued(model, video, torch.Generator().manual_seed(0))
    assert found.rollout.shape == (2, TIMES_AS_LONG * TIME, 3, 64, 64)
    changed = video.clone()
    changed[:, known_frames(TIME) :] = 0
    again = continued(model, changed, torch.Generator().manual_seed(0))
    assert torch.equal(found.rollout, again.rollout)
    assert not torch.equal(found.reconstruction, again.reconstruction)


def test_a_perfect_continuation_has_no_error_and_a_still_that_of_the_null() -> None:
    real = blinking(3, TIME)
    perfect = Continued(real, real, blinking(3, TIMES_AS_LONG * TIME))
    found = errors([perfect], known_frames(TIME))
    # the last known frame is white, and so is one of three later ones
    wanted = {"": 0, "_floor": 0, "_null": 2 / 3}
    assert found == pytest.approx({f"continuation_error{end}": x for end, x in wanted.items()})
    still = perfect._replace(rollout=real[:, 2:3].expand(-1, TIMES_AS_LONG * TIME, -1, -1, -1))
    found = errors([still, still], known_frames(TIME))
    assert found["continuation_error"] == found["continuation_error_null"]


@pytest.mark.parametrize(("period_at_end", "left"), [(2, 1), (10**6, 0)])
def test_motion_left_is_1_for_a_steady_rollout_and_0_for_one_that_freezes(
    period_at_end: int, left: float
) -> None:
    real = blinking(2, TIME)
    end = blinking(2, TIMES_AS_LONG * TIME, period_at_end)[:, -TIME:]
    rollout = torch.cat([blinking(2, (TIMES_AS_LONG - 1) * TIME), end], dim=1)
    assert math.isclose(motion_left([Continued(real, real, rollout)], TIME), left)
