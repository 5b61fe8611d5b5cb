"""Bytes and intensities."""

import pytest
import torch

from s3vae.tensors import to_bytes, to_unit


def test_every_byte_is_the_same_after_conversion_to_intensities_and_back() -> None:
    frames = torch.arange(256, dtype=torch.uint8).reshape(2, 2, 4, 4, 4)
    assert torch.equal(to_bytes(to_unit(frames)), frames)


def test_intensities_lie_in_0_to_1_and_have_the_channel_before_height_and_width() -> None:
    frames = torch.zeros(1, 2, 3, 5, 4, dtype=torch.uint8)
    frames[0, 1, 2, 4, 3] = 255
    video = to_unit(frames)
    assert video.shape == (1, 2, 4, 3, 5)
    assert video[0, 1, 3, 2, 4] == 1
    assert video.sum() == 1


@pytest.mark.parametrize(
    ("intensities", "expected"), [([-0.5, 1.5], [0, 255]), ([0.49 / 255, 0.51 / 255], [0, 1])]
)
def test_bytes_are_clamped_and_rounded_to_the_nearest(
    intensities: list[float], expected: list[int]
) -> None:
    video = torch.tensor(intensities).reshape(1, 2, 1, 1, 1)
    assert to_bytes(video).flatten().tolist() == expected
