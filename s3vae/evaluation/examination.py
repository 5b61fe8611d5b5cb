"""A model before the judge: what is known of the test clips, as codes, and whose labels count."""

import dataclasses
from typing import NamedTuple

import torch
from jaxtyping import Int
from numpy import ndarray

from s3vae.data.clips import ClipFile
from s3vae.evaluation.generation import Codes, Generating, ToldGenerator, encode, judge_codes
from s3vae.evaluation.judge import Judge
from s3vae.evaluation.judging import Judged
from s3vae.evaluation.protocol import Scores, Subject, draw_and_judge, drawn_scores
from s3vae.model.s3vae import S3VAE
from s3vae.model.saved import Model
from s3vae.runtime import generator_at

SOURCE = 2
"""The stream of randomness of the clips that stand in for encoded ones; 0 and 1 are redrawn."""


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
    labels = {name: torch.from_numpy(of).to(device) for name, of in told.items()}
    maker = ToldGenerator(model, labels)
    codes = maker.codes(clips.time, generator_at(device, 0, SOURCE))
    shown = judge_codes(maker, judge, codes)
    seen = {name: answers.argmax(axis=1) for name, answers in shown.items()}
    return Examined(maker, codes, dataclasses.replace(subject, labels=seen | told), shown)


def sampled_scores(examined: Examined, judge: Judge, seed: int) -> Scores:
    """Everything that depends on a draw, for one seed of the sampling."""
    return drawn_scores(
        examined.subject, draw_and_judge(examined.maker, judge, examined.codes, seed)
    )
