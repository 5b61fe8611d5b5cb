"""What stands for the test clips: their codes, or clips of their categories where none encodes."""

import numpy as np
import pytest
import torch

from s3vae.baselines.interface import Categories
from s3vae.baselines.mocogan.generator import MoCoGAN
from s3vae.data.clips import ClipFile
from s3vae.evaluation.codes import ToldGenerator, encode
from s3vae.evaluation.examination import examine, sampled_scores
from s3vae.evaluation.protocol import Subject
from s3vae.judge.network import Judge
from s3vae.judge.predictions import judge_clips
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE

CPU = torch.device("cpu")


@pytest.fixture
def judge() -> Judge:
    torch.manual_seed(1)
    return Judge({"colour": 2, "motion": 3}, channels=3, width=4).eval()


@pytest.fixture
def subject(clips: ClipFile, judge: Judge) -> Subject:
    rows = clips.split("test")
    labels = {factor.name: clips.labels(factor.name)[rows] for factor in clips.factors}
    return Subject(clips.factors, labels, judge_clips(judge, clips, rows, CPU))


@pytest.fixture
def generator(tiny: Architecture) -> MoCoGAN:
    torch.manual_seed(0)
    return MoCoGAN(tiny, Categories("dynamic", {"motion": 3})).eval()


def test_what_encodes_is_examined_on_the_codes_of_the_clips(
    tiny: Architecture, clips: ClipFile, judge: Judge, subject: Subject
) -> None:
    torch.manual_seed(0)
    model, rows = S3VAE(tiny).eval(), clips.split("test")
    examined = examine(model, judge, clips, rows, subject, CPU)
    assert torch.equal(examined.codes.static, encode(model, clips, rows, CPU).static)
    assert examined.subject is subject


def test_a_generator_is_examined_on_clips_of_the_same_categories(
    generator: MoCoGAN, clips: ClipFile, judge: Judge, subject: Subject
) -> None:
    """What it was not told is what the judge sees in the clip that stands for the known one."""
    rows = clips.split("test")
    examined = examine(generator, judge, clips, rows, subject, CPU)
    assert np.array_equal(examined.subject.labels["motion"], subject.labels["motion"])
    seen = examined.reconstruction["colour"].argmax(axis=1)
    assert np.array_equal(examined.subject.labels["colour"], seen)
    assert examined.codes.dynamic.shape[:2] == (len(rows), clips.time)
    first, again, other = (sampled_scores(examined, judge, seed) for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_a_drawn_motion_is_of_any_category_and_a_drawn_content_of_none(
    generator: MoCoGAN,
) -> None:
    maker = ToldGenerator(generator, {"motion": torch.zeros(50, dtype=torch.long)})
    drawn = maker.draw_dynamic(50, 4, torch.Generator().manual_seed(0))
    again = torch.Generator().manual_seed(0)
    labels = generator.categories.draw(50, again)
    assert set(labels["motion"].tolist()) == {0, 1, 2}
    assert torch.equal(drawn, generator.draw_dynamic(labels, 4, again))


def test_told_contents_are_drawn_of_what_was_told(tiny: Architecture) -> None:
    model = MoCoGAN(tiny, Categories("static", {"colour": 2})).eval()
    colours = [ToldGenerator(model, {"colour": torch.full((3,), value)}) for value in (0, 1)]
    draws = [each.draw_static(3, torch.Generator().manual_seed(0)) for each in colours]
    assert not torch.allclose(*draws)
    motions = [each.draw_dynamic(3, 4, torch.Generator().manual_seed(0)) for each in colours]
    assert torch.equal(*motions)
