"""The layered decoder: a foreground over a background that z_t displaces."""

from dataclasses import replace

import pytest
import torch

from s3vae.model.architecture import Architecture
from s3vae.model.decoders.layered import LayeredDecoder


@pytest.mark.parametrize("opacity", [0, 1])
def test_its_layers_are_the_warped_decoder_and_an_opaque_foreground(
    opacity: int, tiny: Architecture, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    decoder = LayeredDecoder(replace(tiny, decoder="layered", channels=3))
    static, dynamic = torch.randn(2, tiny.static), torch.randn(2, 5, tiny.dynamic)
    layers = torch.rand(10, 4, tiny.height, tiny.width)
    layers[:, 3] = opacity
    monkeypatch.setattr(decoder.foreground, "forward", lambda *_: layers)
    expected = (
        layers[:, :3].unflatten(0, (2, 5)) if opacity else decoder.background(static, dynamic)
    )
    torch.testing.assert_close(decoder(static, dynamic), expected)
