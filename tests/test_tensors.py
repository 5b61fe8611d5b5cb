"""Bytes and intensities."""

import torch

from s3vae.tensors import to_bytes, to_unit


def test_every_byte_survives_the_way_to_intensities_and_back() -> None:
    frames = torch.arange(256, dtype=torch.uint8).reshape(2, 2, 4, 4, 4)
    assert torch.equal(to_bytes(to_unit(frames)), frames)


def test_intensities_lie_in_0_to_1_and_have_the_channel_before_height_and_width() -> None:
    frames = torch.zeros(1, 2, 3, 5, 4, dtype=torch.uint8)
    frames[0, 1, 2, 4, 3] = 255
    video = to_unit(frames)
    assert video.shape == (1, 2, 4, 3, 5)
    assert video[0, 1, 3, 2, 4] == 1
    assert video.sum() == 1


def test_intensities_out_of_range_become_black_and_white() -> None:
    video = torch.tensor([-0.5, 1.5]).reshape(1, 2, 1, 1, 1)
    assert to_bytes(video).flatten().tolist() == [0, 255]


def test_bytes_are_the_nearest_ones() -> None:
    video = torch.tensor([0.49 / 255, 0.51 / 255]).reshape(1, 2, 1, 1, 1)
    assert to_bytes(video).flatten().tolist() == [0, 1]
