"""What a model knows of the clips that it was trained on."""

import math

import pytest

from s3vae.data.clips import ClipFile
from s3vae.data.preparation import preparation_of


def test_the_error_is_that_of_the_last_validation_per_pixel(clips: ClipFile) -> None:
    history = [{"step": 1.0, "val_reconstruction": 9.0}, {"val_reconstruction": 6.0}, {"step": 3.0}]
    numbers = math.prod(clips.shape[1:])
    assert preparation_of(clips, history).error_per_pixel == pytest.approx(6 / numbers)
    assert preparation_of(clips, history[2:]).error_per_pixel is None
    assert preparation_of(clips).error_per_pixel is None
