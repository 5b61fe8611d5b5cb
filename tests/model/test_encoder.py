"""Frame encoder and decoders: shapes, ranges, and what FiLM is for."""

from dataclasses import replace
from itertools import product
from typing import Any, get_args

import pytest
import torch
from torch import nn

from s3vae.model.architecture import Architecture, architecture
from s3vae.model.decoders.broadcast import BroadcastDecoder
from s3vae.model.encoder import FrameDecoder, encoder_channels, frame_encoder

ENCODERS, DECODERS = (get_args(Architecture.__annotations__[k]) for k in ("encoder", "decoder"))
KINDS = [
    kind
    for kind in product(ENCODERS, DECODERS, (1, 3), (False, True))
    if not (kind[1] == "broadcast" and kind[3])
    and not {"objects", "sprites", "warped"} & set(kind[:2])
]
"""What looks at single frames; for what looks at clips see test_objects.py and test_warps.py."""


@pytest.mark.parametrize(("encoder", "decoder", "channels", "film"), KINDS)
def test_every_kind_leads_from_frames_to_features_and_from_codes_to_frames(
    encoder: Any, decoder: Any, channels: Any, film: bool, tiny: Architecture
) -> None:
    sizes = replace(tiny, encoder=encoder, decoder=decoder, channels=channels, film=film)
    frames = torch.rand(5, channels, 64, 64)
    assert frame_encoder(sizes)(frames).shape == (5, sizes.features)
    kind = BroadcastDecoder if decoder == "broadcast" else FrameDecoder
    decoded = kind(sizes)(torch.randn(5, sizes.static), torch.randn(5, sizes.dynamic))
    assert decoded.shape == frames.shape


@pytest.mark.parametrize("encoder", ["strided", "patch"])
def test_averages_follow_the_features_one_per_channel_of_the_last_map(
    encoder: Any, tiny: Architecture
) -> None:
    sizes = replace(tiny, encoder=encoder, static_posterior="averaged")
    frames, both = torch.rand(5, 3, 64, 64), frame_encoder(sizes).eval()
    encoded, seen = both(frames), both.hidden(frames)
    assert seen.shape == (5, encoder_channels(sizes)[-1], 4, 4)
    assert torch.equal(encoded[:, : sizes.features], both.whole(seen))
    torch.testing.assert_close(encoded[:, sizes.features :], seen.flatten(2).mean(dim=2))


@pytest.mark.parametrize("preset", ["paper", "fast"])
def test_the_presets_fit_frames_of_64_pixels(preset: Any) -> None:
    sizes = architecture(preset)
    with torch.no_grad():
        assert frame_encoder(sizes)(torch.rand(2, 3, 64, 64)).shape == (2, sizes.features)
        codes = torch.randn(2, sizes.static), torch.randn(2, sizes.dynamic)
        assert FrameDecoder(sizes)(*codes).shape == (2, 3, 64, 64)


def test_the_paper_encoder_has_the_widths_of_the_paper() -> None:
    layers = list(frame_encoder(Architecture()).modules())
    convolutions = [each for each in layers if isinstance(each, nn.Conv2d)]
    assert [each.out_channels for each in convolutions] == [64, 128, 256, 512]
    assert {each.kernel_size for each in convolutions} == {(4, 4)}
    (last,) = (each for each in layers if isinstance(each, nn.Linear))  # a 4x4 one of 4x4 places
    assert (last.in_features, last.out_features) == (16 * 512, 128)


def test_the_paper_decoder_has_the_widths_of_the_paper() -> None:
    layers = list(FrameDecoder(Architecture()).modules())
    assert [each.in_features for each in layers if isinstance(each, nn.Linear)] == [288]
    transposed = [each for each in layers if isinstance(each, nn.ConvTranspose2d)]
    assert [each.in_channels for each in transposed] == [512, 256, 128, 64]
    assert transposed[-1].out_channels == 3


def test_features_and_intensities_are_bounded(tiny: Architecture) -> None:
    features = frame_encoder(tiny)(100 * torch.randn(6, 3, 64, 64))
    assert features.abs().max() <= 1
    decoded = FrameDecoder(tiny)(9 * torch.randn(6, tiny.static), 9 * torch.randn(6, tiny.dynamic))
    assert decoded.min() >= 0
    assert decoded.max() <= 1


def test_without_normalization_a_frame_does_not_depend_on_the_rest_of_its_batch(
    tiny: Architecture,
) -> None:
    codes = torch.randn(6, tiny.static), torch.randn(6, tiny.dynamic)
    for normalized in (False, True):
        decoder = FrameDecoder(replace(tiny, normalized=normalized)).train()
        together, alone = decoder(*codes), decoder(*(code[:2] for code in codes))
        assert torch.allclose(together[:2], alone, atol=1e-5) is not normalized


def test_without_normalization_signals_neither_grow_nor_fade(tiny: Architecture) -> None:
    torch.manual_seed(0)
    sizes = replace(tiny, normalized=False, encoder_width=32)
    hidden = torch.randn(4, 3, 64, 64)
    for layer in frame_encoder(sizes)[0][:-1]:
        hidden = layer(hidden)
        if isinstance(layer, nn.Conv2d):
            assert 0.5 < hidden.std() < 2


@pytest.mark.parametrize("decoder", ["transposed", "shuffle"])
def test_without_normalization_decoded_signals_neither_grow_nor_fade(
    decoder: Any, tiny: Architecture
) -> None:
    torch.manual_seed(0)
    stages = FrameDecoder(
        replace(tiny, decoder=decoder, normalized=False, decoder_width=32)
    ).stages[:-1]
    hidden = torch.randn(8, 256 if decoder == "transposed" else 128, 4, 4)
    for stage in stages:
        hidden = nn.functional.leaky_relu(stage(hidden), 0.2)
        assert 0.5 < hidden.square().mean().sqrt() < 2


def deaf_at_the_start(sizes: Architecture) -> FrameDecoder:
    """A decoder in whose first layer z_f has no say."""
    torch.manual_seed(0)
    decoder = FrameDecoder(sizes).eval()
    first = next(each for each in decoder.spread.modules() if isinstance(each, nn.Linear))
    with torch.no_grad():
        first.weight[:, : sizes.static] = 0
    return decoder


@pytest.mark.parametrize("film", [False, True])
def test_with_film_alone_z_f_has_a_say_in_later_layers(film: bool, tiny: Architecture) -> None:
    decoder = deaf_at_the_start(replace(tiny, film=film))
    dynamic = torch.randn(1, tiny.dynamic).expand(2, -1)
    one, other = decoder(torch.randn(2, tiny.static), dynamic)
    assert torch.equal(one, other) is not film


def with_last_film(sizes: Architecture, said: float) -> FrameDecoder:
    """A decoder in whose last layer FiLM says the same of every scale, and a shift of 3."""
    torch.manual_seed(0)
    decoder = FrameDecoder(replace(sizes, film=True)).eval()
    assert decoder.film is not None
    last = 2 * decoder.channels[-1]
    with torch.no_grad():
        decoder.film.weight[-last:] = 0
        scale, shift = decoder.film.bias[-last:].chunk(2)
        scale[:], shift[:] = said, 3
    return decoder


def test_film_may_leave_of_a_channel_its_shift_alone(tiny: Architecture) -> None:
    static = torch.randn(1, tiny.static).expand(2, -1)
    one, other = with_last_film(tiny, -99)(static, torch.randn(2, tiny.dynamic))
    assert torch.equal(one, other)


def test_film_is_bounded_so_that_a_drawn_code_is_no_louder_than_a_known_one(
    tiny: Architecture,
) -> None:
    codes = torch.randn(2, tiny.static), torch.randn(2, tiny.dynamic)
    loud, louder = (with_last_film(tiny, said)(*codes) for said in (50, 99))
    assert torch.equal(loud, louder)


def test_film_that_says_nothing_changes_nothing(tiny: Architecture) -> None:
    filmed, plain = FrameDecoder(replace(tiny, film=True)).eval(), FrameDecoder(tiny).eval()
    plain.load_state_dict(
        {k: v for k, v in filmed.state_dict().items() if not k.startswith("film.")}
    )
    assert filmed.film is not None
    for parameter in filmed.film.parameters():
        nn.init.zeros_(parameter)
    codes = torch.randn(3, tiny.static), torch.randn(3, tiny.dynamic)
    assert torch.equal(filmed(*codes), plain(*codes))
