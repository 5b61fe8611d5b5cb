"""Frames of other sizes than 64x64, in every network that takes them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from s3vae.model.architecture import Architecture, architecture
from s3vae.model.encoder import frame_encoder
from s3vae.model.s3vae import S3VAE
from s3vae.model.saved import load_s3vae, read_architecture, save_module

CPU = torch.device("cpu")
PAIRS = (("strided", "transposed"), ("patch", "shuffle"), ("patch", "warped"), ("patch", "layered"))
"""Every general encoder and decoder."""


@pytest.mark.parametrize(
    ("size", "channels"),
    [((32, 48), 1), ((64, 64), 3), ((96, 96), 3), ((128, 128), 3), ((256, 256), 3)],
)
@pytest.mark.parametrize("parts", PAIRS)
def test_clips_of_any_size_become_codes_and_codes_become_clips_also_in_a_loaded_model(
    size: tuple[int, int], channels: Any, parts: Any, tiny: Architecture, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    encoder, decoder = parts
    shape = {"channels": channels, "height": size[0], "width": size[1]}
    model = S3VAE(replace(tiny, encoder=encoder, decoder=decoder, **shape)).eval()
    video = torch.rand(2, 3, channels, *size)
    static, dynamic = model.encode(video)
    decoded = model.decode(static.mean, dynamic.mean)
    assert decoded.shape == video.shape
    assert 0 <= decoded.min() <= decoded.max() <= 1
    save_module(model, model.sizes(), tmp_path / "model")
    loaded = load_s3vae(tmp_path / "model", CPU)
    assert torch.equal(loaded.encode(video).static.mean, static.mean)
    assert torch.equal(loaded.decode(static.mean, dynamic.mean), decoded)


@pytest.mark.parametrize(
    ("size", "coarse", "doublings"),
    [
        ((32, 48), (2, 3), 0),
        ((64, 64), (4, 4), 0),
        ((96, 96), (6, 6), 0),
        ((128, 64), (8, 4), 0),
        ((128, 128), (4, 4), 1),
        ((192, 192), (6, 6), 1),
        ((256, 256), (4, 4), 2),
        ((144, 144), (9, 9), 0),  # cannot be halved
    ],
)
def test_stages_are_added_until_the_coarse_map_is_as_small_as_at_64x64(
    size: tuple[int, int], coarse: tuple[int, int], doublings: int
) -> None:
    for preset in ("paper", "fast"):
        sizes = architecture(preset, height=size[0], width=size[1])
        assert (sizes.coarse, sizes.doublings) == (coarse, doublings)
        with torch.device("meta"):  # shapes without numbers
            (hidden, *_) = frame_encoder(sizes)
            assert hidden(torch.zeros(1, 3, *size)).shape[2:] == coarse


@pytest.mark.parametrize("side", ["height", "width"])
@pytest.mark.parametrize("pixels", [16, 72, 100])
def test_sides_are_multiples_of_16_from_32_on(side: str, pixels: int) -> None:
    with pytest.raises(ValueError, match=side):
        architecture("fast", **{side: pixels})


@pytest.mark.parametrize(
    "part", [{"encoder": "objects"}, {"decoder": "sprites"}, {"decoder": "broadcast"}]
)
def test_parts_for_64x64_alone_refuse_other_sizes_and_name_the_others(part: Any) -> None:
    (name,) = part.values()
    with pytest.raises(ValueError, match=f"`{name}` is for .* not 64x96: .* warped or layered"):
        architecture("fast", width=96, **part)
    assert architecture("fast", **part).width == 64


def test_a_model_saved_without_a_size_is_for_64x64(tiny: Architecture, tmp_path: Path) -> None:
    model = S3VAE(tiny)
    save_module(model, model.sizes(), tmp_path / "model")
    path = tmp_path / "model" / "architecture.json"
    saved = json.loads(path.read_text())
    del saved["height"], saved["width"]
    path.write_text(json.dumps(saved))
    assert read_architecture(path.parent) == tiny
