"""The frame encoder: shapes, ranges, and the sizes of the paper."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from s3vae.model.architecture import Architecture
from s3vae.model.encoder import frame_encoder, window_encoder


@pytest.mark.parametrize(("encoder", "channels"), [("strided", 3), ("patch", 1)])
def test_every_encoder_maps_frames_to_bounded_features(
    encoder: Any, channels: Any, tiny: Architecture
) -> None:
    sizes = replace(tiny, encoder=encoder, channels=channels)
    features = frame_encoder(sizes)(100 * torch.randn(5, sizes.channels, 64, 64))
    assert features.shape == (5, sizes.features)
    assert features.abs().max() <= 1


def test_the_paper_encoder_has_the_widths_of_the_paper() -> None:
    layers = list(frame_encoder(Architecture()).modules())
    convolutions = [each for each in layers if isinstance(each, nn.Conv2d)]
    assert [each.out_channels for each in convolutions] == [64, 128, 256, 512]
    assert {each.kernel_size for each in convolutions} == {(4, 4)}
    (last,) = (each for each in layers if isinstance(each, nn.Linear))  # a 4x4 kernel on 4x4 pixels
    assert (last.in_features, last.out_features) == (16 * 512, 128)


def test_without_normalization_the_variance_stays_the_same_across_layers(
    tiny: Architecture,
) -> None:
    torch.manual_seed(0)
    sizes = replace(tiny, normalized=False, encoder_width=32)
    hidden = torch.randn(4, 3, 64, 64)
    for layer in frame_encoder(sizes)[0][:-1]:
        hidden = layer(hidden)
        if isinstance(layer, nn.Conv2d):
            assert 0.5 < hidden.std() < 2


@pytest.mark.parametrize("side", [64, 128])
def test_windows_show_what_is_in_a_frame_and_not_where(side: Any, tiny: Architecture) -> None:
    sizes = replace(tiny, height=side, width=side)
    step = 4 * side // 64
    picture = torch.zeros(4, 3, side, side)
    thing = torch.rand(3, 4 * step, 4 * step)
    for frame, (row, column) in enumerate([(4, 4), (7, 5), (6, 9)]):
        place = slice(row * step, (row + 4) * step), slice(column * step, (column + 4) * step)
        picture[frame, :, *place] = thing
    features = window_encoder(sizes).eval()(picture)
    assert features.shape == (4, sizes.features)
    torch.testing.assert_close(features[1:3], features[:1].expand(2, -1))
    assert not torch.allclose(features[3], features[0])
