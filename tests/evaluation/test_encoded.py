"""Codes of real clips, or conditional samples for a generator without an encoder."""

import numpy as np
import pytest
import torch

from s3vae.baselines.mocogan.generator import Categories, MoCoGAN
from s3vae.data.clips import ClipFile
from s3vae.evaluation.codes import encode
from s3vae.evaluation.encoded import ConditionalGenerator, encode_clips
from s3vae.evaluation.protocol import RealClips, drawn_scores, predict_draws
from s3vae.judge.network import Judge
from s3vae.judge.predictions import predict_clips
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE

CPU = torch.device("cpu")


@pytest.fixture
def judge() -> Judge:
    torch.manual_seed(1)
    return Judge({"colour": 2, "motion": 3}, channels=3, width=4).eval()


@pytest.fixture
def real(clips: ClipFile, judge: Judge) -> RealClips:
    rows = clips.split("test")
    labels = {factor.name: clips.labels(factor.name)[rows] for factor in clips.factors}
    return RealClips(clips.factors, labels, predict_clips(judge, clips, rows, CPU))


@pytest.fixture
def generator(tiny: Architecture) -> MoCoGAN:
    torch.manual_seed(0)
    return MoCoGAN(tiny, Categories("dynamic", {"motion": 3})).eval()


def test_a_model_with_an_encoder_is_scored_on_the_codes_of_the_clips(
    tiny: Architecture, clips: ClipFile, judge: Judge, real: RealClips
) -> None:
    torch.manual_seed(0)
    model, rows = S3VAE(tiny).eval(), clips.split("test")
    encoded = encode_clips(model, judge, clips, rows, real, CPU)
    assert torch.equal(encoded.codes.static, encode(model, clips, rows, CPU).static)
    assert encoded.real is real


def test_a_generator_is_scored_on_samples_of_the_same_categories(
    generator: MoCoGAN, clips: ClipFile, judge: Judge, real: RealClips
) -> None:
    """The judge's prediction is the label of a factor that the generator is not conditioned on."""
    rows = clips.split("test")
    encoded = encode_clips(generator, judge, clips, rows, real, CPU)
    assert np.array_equal(encoded.real.labels["motion"], real.labels["motion"])
    predicted = encoded.reconstruction["colour"].argmax(axis=1)
    assert np.array_equal(encoded.real.labels["colour"], predicted)
    assert encoded.codes.dynamic.shape[:2] == (len(rows), clips.time)
    first, again, other = (
        drawn_scores(encoded.real, predict_draws(encoded.generator, judge, encoded.codes, seed))
        for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other


def test_drawn_motions_are_of_random_categories(generator: MoCoGAN) -> None:
    conditional = ConditionalGenerator(generator, {"motion": torch.zeros(50, dtype=torch.long)})
    drawn = conditional.draw_dynamic(50, 4, torch.Generator().manual_seed(0))
    again = torch.Generator().manual_seed(0)
    labels = generator.categories.draw(50, again)
    assert set(labels["motion"].tolist()) == {0, 1, 2}
    assert torch.equal(drawn, generator.draw_dynamic(labels, 4, again))


def test_drawn_contents_are_of_the_categories_that_condition_them(tiny: Architecture) -> None:
    model = MoCoGAN(tiny, Categories("static", {"colour": 2})).eval()
    colours = [ConditionalGenerator(model, {"colour": torch.full((3,), value)}) for value in (0, 1)]
    draws = [each.draw_static(3, torch.Generator().manual_seed(0)) for each in colours]
    assert not torch.allclose(*draws)
    motions = [each.draw_dynamic(3, 4, torch.Generator().manual_seed(0)) for each in colours]
    assert torch.equal(*motions)
