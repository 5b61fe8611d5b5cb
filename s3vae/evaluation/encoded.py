"""Encoded clips, or conditional samples in their place for a generator without an encoder."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Int
from numpy import ndarray
from torch import Generator

from s3vae.baselines.interface import CategoricalGenerator
from s3vae.baselines.saved import Model
from s3vae.data.clips import ClipFile
from s3vae.evaluation.codes import ClipGenerator, Codes, encode, predict_codes
from s3vae.evaluation.protocol import RealClips
from s3vae.judge.network import Judge
from s3vae.judge.predictions import Predictions
from s3vae.model.s3vae import S3VAE
from s3vae.runtime import generator_at
from s3vae.tensors import DynamicCode, Labels, StaticCode, Video

SAMPLES = 1000
"""The random stream of conditional samples and of drawn clips. Redrawn codes use streams 0 and 1,
pictures the index of the column."""


@dataclass(frozen=True)
class ConditionalGenerator:
    """A baseline, conditioned on the categories of a fixed list of clips."""

    model: CategoricalGenerator
    labels: Mapping[str, Labels]

    def draw_static(self, _batch: int, generator: Generator) -> StaticCode:
        """Draw content codes, of the clips' categories if these condition the content."""
        return self.model.draw_static(self.labels, generator)

    def draw_dynamic(self, _batch: int, time: int, generator: Generator) -> DynamicCode:
        """Draw motion codes, of random categories if these condition the motion."""
        categories = self.model.categories
        count = len(next(iter(self.labels.values())))
        random = categories.kind == "dynamic"
        labels = categories.draw(count, generator) if random else self.labels
        return self.model.draw_dynamic(labels, time, generator)

    def decode(self, static: StaticCode, dynamic: DynamicCode) -> Video:
        """Return the clips of these codes."""
        return self.model.decode(static, dynamic)


class EncodedClips(NamedTuple):
    """Codes of the real clips, their decoder, and the judge's predictions of reconstructions."""

    generator: ClipGenerator
    codes: Codes
    real: RealClips
    reconstruction: Predictions


def encode_clips(
    model: Model,
    judge: Judge,
    clips: ClipFile,
    rows: Int[ndarray, " clip"],
    real: RealClips,
    device: torch.device,
) -> EncodedClips:
    """Encode the real clips, or sample clips of the same categories without an encoder.

    For such a sample, the judge's prediction replaces the label of every factor that the generator
    is not conditioned on.
    """
    generator, codes = encode_or_sample(model, clips, rows, device)
    predictions = predict_codes(generator, judge, codes)
    if not isinstance(model, S3VAE):
        predicted = {name: each.argmax(axis=1) for name, each in predictions.items()}
        condition = {name: real.labels[name] for name in model.categories.values}
        real = dataclasses.replace(real, labels=predicted | condition, classes=real.labels)
    return EncodedClips(generator, codes, real, predictions)


@torch.no_grad()
def encode_or_sample(
    model: Model,
    clips: ClipFile,
    rows: Int[ndarray, " clip"],
    device: torch.device,
    seed: int = 0,
) -> tuple[ClipGenerator, Codes]:
    """Return the codes of clips and their decoder.

    Without an encoder: codes drawn from the categories of the clips, and a generator conditioned on
    these.
    """
    if isinstance(model, S3VAE):
        return model, encode(model, clips, rows, device)
    labels = {
        name: torch.from_numpy(clips.labels(name)[rows]).to(device)
        for name in model.categories.values
    }
    draws = generator_at(device, seed, SAMPLES)
    static = model.draw_static(labels, draws)
    codes = Codes(static, model.draw_dynamic(labels, clips.time, draws))
    return ConditionalGenerator(model, labels), codes
