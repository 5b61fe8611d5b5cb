"""The model as a whole."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE

BATCH, TIME = 2, 3


def video(channels: int = 3, side: int = 64) -> Tensor:
    return torch.rand(BATCH, TIME, channels, side, side, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "changes",
    [
        {"channels": 1},
        {"static_posterior": "bilstm", "causal": False},
        {"encoder": "objects", "decoder": "sprites", "channels": 1},
        {"encoder": "objects", "decoder": "sprites"},
        {"decoder": "sprites"},
        {"encoder": "objects", "decoder": "broadcast"},
    ],
)
def test_clips_become_codes_and_codes_become_clips(
    changes: dict[str, Any], tiny: Architecture
) -> None:
    sizes = replace(tiny, dynamic=5, **changes)
    model, clips = S3VAE(sizes), video(sizes.channels)
    static, dynamic = model.encode(clips)
    assert static.mean.shape == static.std.shape == (BATCH, sizes.static)
    assert dynamic.mean.shape == dynamic.std.shape == (BATCH, TIME, sizes.dynamic)
    assert model.decode(static.mean, dynamic.mean).shape == clips.shape
    assert model.predict_signal(dynamic.mean).shape == (BATCH, TIME, tiny.signal)
    clusters = torch.zeros(BATCH, dtype=torch.long)
    assert model.prior(dynamic.mean, clusters).mean.shape == dynamic.mean.shape


@pytest.mark.parametrize("side", [32, 65, 128])
def test_frames_of_another_size_are_refused_with_the_remedy(side: int, tiny: Architecture) -> None:
    with pytest.raises(ValueError, match=f"64x64, not {side}x{side}: resize"):
        S3VAE(tiny).encode(video(side=side))


@pytest.mark.parametrize("posterior", ["pooled", "bilstm"])
def test_clips_are_encoded_independently(posterior: Any, tiny: Architecture) -> None:
    model = S3VAE(replace(tiny, static_posterior=posterior)).eval()
    batch, alone = model.encode(video()), model.encode(video()[:1])
    torch.testing.assert_close(batch.static.mean[:1], alone.static.mean)
    torch.testing.assert_close(batch.dynamic.mean[:1], alone.dynamic.mean)


@pytest.mark.parametrize("decoder", ["shuffle", "broadcast", "layered", "warped"])
def test_a_frame_is_decoded_from_the_static_code_of_its_clip_and_its_own_dynamic_code(
    decoder: Any, tiny: Architecture
) -> None:
    model = S3VAE(replace(tiny, decoder=decoder)).eval()
    static = torch.randn(BATCH, tiny.static, requires_grad=True)
    dynamic = torch.randn(BATCH, TIME, tiny.dynamic, requires_grad=True)
    model.decode(static, dynamic)[1, 2].sum().backward()
    assert static.grad.any(dim=-1).tolist() == [False, True]
    assert dynamic.grad.any(dim=-1).nonzero().tolist() == [[1, 2]]


def test_z_t_is_inferred_from_the_sample_of_z_f_only_if_given_it(tiny: Architecture) -> None:
    """In training from the sample, as DSVAE's full posterior is; in use from the mean."""
    frames = video()
    for given in (False, True):
        torch.manual_seed(0)
        model = S3VAE(replace(tiny, causal=False, given_static=given)).eval()
        features = model.features(frames)
        posterior, (static, _) = model.infer(features, features, torch.Generator().manual_seed(1))
        plain = model.posterior(features)
        assert torch.equal(posterior.dynamic.mean, plain.dynamic.mean) is not given
        torch.testing.assert_close(
            posterior.dynamic.mean, model.posterior_dynamic(features, static).mean
        )
        torch.testing.assert_close(
            plain.dynamic.mean, model.posterior_dynamic(features, plain.static.mean).mean
        )


def test_the_same_seed_makes_the_same_model(tiny: Architecture) -> None:
    def weights(seed: int) -> Tensor:
        torch.manual_seed(seed)
        return torch.cat([each.flatten() for each in S3VAE(tiny).parameters()])

    assert torch.equal(weights(0), weights(0))
    assert not torch.equal(weights(0), weights(1))
