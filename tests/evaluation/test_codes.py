"""Codes: encoded, drawn, swapped and decoded."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Generator

from s3vae.data.clips import ClipFile
from s3vae.evaluation.codes import Codes, donors, encode, predict_codes, reconstruction_error
from s3vae.judge.network import Judge
from s3vae.judge.predictions import BATCH
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE
from s3vae.tensors import to_unit

CPU = torch.device("cpu")
Draws = Callable[[int], Generator]


@pytest.fixture
def model(tiny: Architecture) -> S3VAE:
    torch.manual_seed(0)
    return S3VAE(tiny).eval()


def some_codes(count: int = 10) -> Codes:
    generator = torch.Generator().manual_seed(0)
    return Codes(
        torch.randn(count, 4, generator=generator), torch.randn(count, 5, 3, generator=generator)
    )


@pytest.mark.parametrize("count", [2, 3, 7, 100])
def test_no_clip_is_its_own_donor_and_every_clip_is_one_once(count: int) -> None:
    for seed in range(20):
        chosen = donors(count, seed)
        assert (chosen != np.arange(count)).all()
        assert (np.sort(chosen) == np.arange(count)).all()


def test_donors_are_a_function_of_the_seed() -> None:
    assert np.array_equal(donors(100, 3), donors(100, 3))
    assert not np.array_equal(donors(100, 3), donors(100, 4))


def test_a_swap_takes_the_dynamic_code_of_the_donor_and_is_its_own_inverse_within_pairs() -> None:
    codes, pairs = some_codes(), np.arange(10) ^ 1
    swapped = codes.swap(pairs)
    assert torch.equal(swapped.static, codes.static)
    assert torch.equal(swapped.dynamic, codes.dynamic[pairs])
    assert torch.equal(swapped.swap(pairs).dynamic, codes.dynamic)


def test_drawn_static_codes_are_standard_normal_and_the_dynamic_ones_unchanged(
    model: S3VAE, draws: Draws
) -> None:
    codes = some_codes(5000)
    drawn = codes.draw_static(model, draws(0))
    assert torch.equal(drawn.dynamic, codes.dynamic)
    torch.testing.assert_close(drawn.static.mean(0), torch.zeros(4), atol=0.06, rtol=0)
    torch.testing.assert_close(torch.cov(drawn.static.T), torch.eye(4), atol=0.1, rtol=0)


def test_drawn_dynamic_codes_are_draws_from_the_prior_and_the_static_ones_unchanged(
    model: S3VAE, draws: Draws
) -> None:
    codes = some_codes()
    drawn = codes.draw_dynamic(model, draws(0))
    assert torch.equal(drawn.static, codes.static)
    torch.testing.assert_close(drawn.dynamic, model.prior.sample(10, 5, draws(0)).detach())
    assert not drawn.dynamic.requires_grad


def test_clips_are_encoded_as_posterior_means_in_the_order_of_the_indices(
    model: S3VAE, clips: ClipFile
) -> None:
    indices = np.array([40, 3, 7])
    with torch.no_grad():  # with gradients, recurrent layers may add up in another order
        posterior = model.encode(to_unit(torch.from_numpy(clips.frames(indices))))
    codes = encode(model, clips, indices, CPU)
    assert torch.equal(codes.static, posterior.static.mean)
    assert torch.equal(codes.dynamic, posterior.dynamic.mean)
    assert not codes.static.requires_grad


def test_batches_hold_every_code_once_and_in_order() -> None:
    codes = some_codes(2 * BATCH + 1)
    parts = list(zip(*codes.batches(), strict=True))
    for whole, batches in zip((codes.static, codes.dynamic), parts, strict=True):
        assert torch.equal(torch.cat(batches), whole)


def test_the_judge_predicts_the_clips_decoded_from_the_codes(model: S3VAE) -> None:
    judge, codes = Judge({"motion": 3}, channels=3, width=4).eval(), some_codes()
    predictions = predict_codes(model, judge, codes)["motion"]
    expected = judge.probabilities(model.decode(codes.static, codes.dynamic))["motion"]
    np.testing.assert_allclose(predictions, expected.numpy())


def test_the_reconstruction_error_is_a_sum_over_a_clip_and_a_mean_over_clips(
    model: S3VAE, clips: ClipFile
) -> None:
    rows = clips.split("test")
    codes = encode(model, clips, rows, CPU)
    video = to_unit(torch.from_numpy(clips.frames(rows)))
    decoded = model.decode(codes.static, codes.dynamic)
    expected = (decoded - video).square().sum(dim=(1, 2, 3, 4)).mean().item()
    assert reconstruction_error(model, codes, clips, rows) == pytest.approx(expected, rel=1e-4)
