"""The convolutional decoders: the sizes of the paper, and variances without normalization."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from s3vae.model.architecture import Architecture
from s3vae.model.decoders.convolutional import ConvolutionalDecoder


def test_the_paper_decoder_has_the_widths_of_the_paper() -> None:
    layers = list(ConvolutionalDecoder(Architecture()).modules())
    assert [each.in_features for each in layers if isinstance(each, nn.Linear)] == [288]
    transposed = [each for each in layers if isinstance(each, nn.ConvTranspose2d)]
    assert [each.in_channels for each in transposed] == [512, 256, 128, 64]
    assert transposed[-1].out_channels == 3


def test_without_normalization_a_frame_does_not_depend_on_the_rest_of_its_batch(
    tiny: Architecture,
) -> None:
    codes = torch.randn(6, tiny.static), torch.randn(6, tiny.dynamic)
    for normalized in (False, True):
        decoder = ConvolutionalDecoder(replace(tiny, normalized=normalized)).train()
        together, alone = decoder(*codes), decoder(*(code[:2] for code in codes))
        assert torch.allclose(together[:2], alone, atol=1e-5) is not normalized


@pytest.mark.parametrize("decoder", ["transposed", "shuffle"])
def test_without_normalization_the_variance_stays_the_same_across_stages(
    decoder: Any, tiny: Architecture
) -> None:
    torch.manual_seed(0)
    sizes = replace(tiny, decoder=decoder, normalized=False, decoder_width=32)
    hidden = torch.randn(8, 256 if decoder == "transposed" else 128, 4, 4)
    for stage in ConvolutionalDecoder(sizes).stages[:-1]:
        hidden = nn.functional.leaky_relu(stage(hidden), 0.2)
        assert 0.5 < hidden.square().mean().sqrt() < 2
