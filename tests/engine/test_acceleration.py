"""Accelerated networks compute what plain ones do, but for rounding."""

import copy
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

from s3vae.engine.acceleration import accelerated
from s3vae.model.architecture import architecture
from s3vae.model.decoders import decode_clips
from s3vae.model.s3vae import S3VAE

CPU = torch.device("cpu")
WITHOUT_COMPILER = "aot_eager"
"""Traces a network and its gradients as `inductor` does, and needs no C++ compiler."""


class Step(NamedTuple):
    pictures: Tensor
    gradient: Tensor
    names: list[str]


def step(model: S3VAE, video: Tensor) -> Step:
    posterior = model.posterior(model.features(video))
    pictures = decode_clips(model.decoder, posterior.static.mean, posterior.dynamic.mean)
    (pictures - video).square().sum().backward()
    gradients = [weight.grad for weight in model.parameters() if weight.grad is not None]
    gradient = torch.cat([each.flatten() for each in gradients])
    return Step(pictures.detach(), gradient, list(model.state_dict()))


def plain_and_accelerated(changes: dict[str, object]) -> tuple[Step, Step]:
    torch.manual_seed(0)
    sizes = {"encoder_width": 4, "decoder_width": 4, "features": 8, "recurrent": 8}
    codes = {"height": 32, "width": 32, "static": 4, "dynamic": 4}
    plain = S3VAE(architecture("fast", **{**sizes, **codes, **changes}))
    fast = copy.deepcopy(plain)
    every = fast.frame_encoder, fast.window_encoder, fast.decoder
    video = torch.rand(4, 3, 3, 32, 32)
    with accelerated([network for network in every if network is not None], CPU, WITHOUT_COMPILER):
        return step(plain, video), step(fast, video)


@pytest.mark.parametrize(
    "changes",
    [
        {"encoder": "strided", "decoder": "transposed", "normalized": True},
        {"decoder": "warped"},
        {"decoder": "layered", "static_input": "windows"},
    ],
    ids=["paper", "warped", "layered"],
)
def test_pictures_and_gradients_differ_by_rounding_alone(changes: dict[str, object]) -> None:
    # in another process, since the checks of types that tests switch on cannot be traced
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        plain, fast = pool.submit(plain_and_accelerated, changes).result()
    assert not torch.equal(plain.pictures, fast.pictures)  # these were in bfloat16
    assert torch.allclose(plain.pictures, fast.pictures, atol=0.03)
    assert fast.pictures.dtype == fast.gradient.dtype == torch.float32
    assert torch.cosine_similarity(plain.gradient, fast.gradient, dim=0) > 0.99
    assert fast.names == plain.names


def test_afterwards_a_network_is_in_single_precision_again() -> None:
    torch.manual_seed(0)
    network, frames = nn.Sequential(nn.Conv2d(3, 8, 4)), torch.rand(1, 3, 8, 8)
    before = network(frames)
    with accelerated([network], CPU, WITHOUT_COMPILER):
        assert network[0].weight.is_contiguous(memory_format=torch.channels_last)
        assert not torch.allclose(network(frames), before, atol=1e-6)
    torch.testing.assert_close(network(frames), before)
