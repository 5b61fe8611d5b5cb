"""Laws of optical flow."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy import ndarray

from s3vae.signals.optical_flow import TVL1, Farneback, clip_flow, grey, require_contrib

BOTH = pytest.mark.parametrize("method", [Farneback(), TVL1()], ids=lambda method: method.kind)


def drifting_clip(x: int, y: int, time: int = 3) -> ndarray:
    """A smooth texture, brighter than any foreground threshold, that moves by (x, y) a frame."""
    noise = np.random.default_rng(0).uniform(40, 255, (64, 64)).astype(np.float32)
    texture = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 40, 255, cv2.NORM_MINMAX)
    frames = [np.roll(texture, (y * step, x * step), axis=(0, 1)) for step in range(time)]
    return np.repeat(np.stack(frames)[..., None], 3, axis=-1).astype(np.uint8)


def moving_square() -> ndarray:
    clip = np.zeros((3, 64, 64, 3), np.uint8)
    for step, frame in enumerate(clip):
        frame[20:36, 20 + 2 * step : 36 + 2 * step] = 255
    return clip


@BOTH
def test_flow_is_the_displacement_to_the_right_and_downwards(method: Farneback | TVL1) -> None:
    flow = clip_flow(drifting_clip(x=2, y=-1), method)
    assert flow.shape == (2, 64, 64, 2)
    assert flow.dtype == np.float32
    inner = flow[:, 12:-12, 12:-12]
    assert np.median(inner, axis=(0, 1, 2)) == pytest.approx([2, -1], abs=0.15)


@BOTH
def test_a_still_clip_has_no_flow_inside(method: Farneback | TVL1) -> None:
    """At the right and lower border OpenCV's Farneback has nothing to compare the picture with."""
    assert np.abs(clip_flow(drifting_clip(x=0, y=0), method)[:, 12:-12, 12:-12]).max() < 1e-3


@BOTH
def test_a_clip_of_one_frame_has_no_pairs(method: Farneback | TVL1) -> None:
    assert clip_flow(drifting_clip(x=1, y=1, time=1), method).shape == (0, 64, 64, 2)


def test_farneback_is_opencvs_own_function() -> None:
    clip = drifting_clip(x=1, y=1)
    theirs = [
        cv2.calcOpticalFlowFarneback(before, after, None, 0.5, 3, 9, 2, 5, 1.1, 0)
        for before, after in pairwise(grey(clip))
    ]
    np.testing.assert_array_equal(clip_flow(clip, Farneback()), np.stack(theirs))


@pytest.mark.parametrize("method", [Farneback(foreground=20), TVL1()], ids=lambda each: each.kind)
def test_flow_is_zero_where_neither_frame_is_bright(method: Farneback | TVL1) -> None:
    clip = moving_square()
    lit = np.maximum(grey(clip)[:-1], grey(clip)[1:]) > 20
    flow = clip_flow(clip, method)
    assert not flow[~lit].any()
    assert flow[lit].any()


def test_pure_colours_are_equally_grey_and_grey_is_unchanged() -> None:
    colours = 255 * np.eye(3, dtype=np.uint8)[None]
    assert grey(colours).tolist() == [[85, 85, 85]]
    shades = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(grey(shades[None, :, None]), shades[None])
    np.testing.assert_array_equal(grey(np.repeat(shades[None, :, None], 3, -1)), shades[None])


@BOTH
def test_many_threads_estimate_the_same_flow_as_one(method: Farneback | TVL1) -> None:
    clips = [drifting_clip(x, y) for x, y in ((0, 1), (1, 0), (2, 2), (-1, 1))] * 2
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda clip: clip_flow(clip, method), clips))
    for clip, flow in zip(clips, together, strict=True):
        np.testing.assert_array_equal(clip_flow(clip, method), flow)


def test_a_cv2_without_contrib_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cv2, "optflow")
    with pytest.raises(ImportError, match="pip install --force-reinstall --no-deps"):
        require_contrib()
