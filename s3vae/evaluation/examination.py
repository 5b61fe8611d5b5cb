"""A model before the judge: what is known of the test clips, as codes, and whose labels count."""

import dataclasses
from collections.abc import Mapping
from typing import NamedTuple

import torch
from jaxtyping import Int
from numpy import ndarray

from s3vae.baselines.mocogan.generator import MoCoGAN
from s3vae.baselines.saved import Model
from s3vae.data.clips import ClipFile
from s3vae.evaluation.codes import Codes, Generating, ToldGenerator, encode, judge_codes
from s3vae.evaluation.protocol import Scores, Subject, draw_and_judge, drawn_scores
from s3vae.judge.network import Judge
from s3vae.judge.predictions import Judged
from s3vae.model.s3vae import S3VAE
from s3vae.runtime import generator_at

SOURCE = 1000
"""The stream of randomness of the clips that stand in for encoded ones; what is redrawn has 0, 1,
and in pictures the number of the column."""


class Examined(NamedTuple):
    """The codes of the test clips, what makes clips of codes, and how these are to be judged."""

    maker: Generating
    codes: Codes
    subject: Subject
    reconstruction: Judged


def examine(
    model: Model,
    judge: Judge,
    clips: ClipFile,
    rows: Int[ndarray, " clip"],
    subject: Subject,
    device: torch.device,
) -> Examined:
    """The clips encoded; by a generator without an encoder, clips made of their categories instead.

    Of such a clip the judge's own verdict says what it looks like, where the model was not told.
    """
    if isinstance(model, S3VAE):
        codes = encode(model, clips, rows, device)
        return Examined(model, codes, subject, judge_codes(model, judge, codes))
    told = {name: subject.labels[name] for name in model.categories.values}
    maker, codes = stand_in(model, told, clips.time, device)
    shown = judge_codes(maker, judge, codes)
    seen = {name: answers.argmax(axis=1) for name, answers in shown.items()}
    seen_subject = dataclasses.replace(subject, labels=seen | told, classes=subject.labels)
    return Examined(maker, codes, seen_subject, shown)


def stand_in(
    model: MoCoGAN, told: Mapping[str, Int[ndarray, " clip"]], time: int, device: torch.device
) -> tuple[ToldGenerator, Codes]:
    """A generator that is told the categories of clips, and codes in place of encoded ones."""
    labels = {name: torch.from_numpy(of).to(device) for name, of in told.items()}
    maker = ToldGenerator(model, labels)
    return maker, maker.codes(time, generator_at(device, 0, SOURCE))


def sampled_scores(examined: Examined, judge: Judge, seed: int) -> Scores:
    """Everything that depends on a draw, for one seed of the sampling."""
    return drawn_scores(
        examined.subject, draw_and_judge(examined.maker, judge, examined.codes, seed)
    )
