"""Decoded frames laid back into their video."""

from collections.abc import Callable

import numpy as np
from numpy import ndarray

from s3vae.app.paste import fading, pasted
from s3vae.app.recording import open_recording
from s3vae.data.preparation import Preparation


def test_the_middle_of_the_crop_is_replaced_and_the_rest_is_kept(
    noise: Callable[..., ndarray],
) -> None:
    video = noise(2, 80, 120)
    recording = open_recording(video, Preparation(), (64, 64), grey=False)
    white = [np.full((64, 64, 1), 255, np.uint8)] * 2
    for frame, real in zip(pasted(white, recording), video, strict=True):
        assert np.array_equal(frame[:, :20], real[:, :20])
        assert np.array_equal(frame[:, 100:], real[:, 100:])
        assert (frame[20:60, 40:80] == 255).all()


def test_a_crop_fades_to_nothing_at_its_edges() -> None:
    weight = fading(40, 60)
    assert weight[20, 30] == 1
    assert (weight[0] == 0).all()
    assert (weight[:, -1] == 0).all()
    assert (np.diff(weight[:20], axis=0) >= 0).all()
