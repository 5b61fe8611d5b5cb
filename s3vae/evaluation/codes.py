"""The codes of clips: encoded, drawn or exchanged, and the judge's predictions of decoded clips."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Int
from numpy import ndarray
from torch import Generator

from s3vae.data.clips import ClipFile
from s3vae.judge.network import Judge
from s3vae.judge.predictions import BATCH, Predictions, predict, video_batches
from s3vae.model.s3vae import S3VAE
from s3vae.tensors import DynamicCode, StaticCode, Video


@runtime_checkable
class ClipGenerator(Protocol):
    """A model that draws either code and decodes both."""

    def draw_static(self, batch: int, generator: Generator) -> StaticCode:
        """Draw static codes."""

    def draw_dynamic(self, batch: int, time: int, generator: Generator) -> DynamicCode:
        """Draw dynamic codes."""

    def decode(self, static: StaticCode, dynamic: DynamicCode) -> Video:
        """Return the clips of these codes."""


@dataclass(frozen=True)
class Codes:
    """The static and the dynamic codes of clips."""

    static: StaticCode
    dynamic: DynamicCode

    @torch.no_grad()
    def draw_static(self, model: ClipGenerator, generator: Generator) -> "Codes":
        """Return the same dynamic codes with drawn static ones, one draw per clip."""
        return Codes(model.draw_static(len(self.static), generator), self.dynamic)

    @torch.no_grad()
    def draw_dynamic(self, model: ClipGenerator, generator: Generator) -> "Codes":
        """Return the same static codes with drawn dynamic ones, one draw per clip."""
        clips, time = self.dynamic.shape[:2]
        return Codes(self.static, model.draw_dynamic(clips, time, generator))

    def batches(self) -> list[tuple[StaticCode, DynamicCode]]:
        """Return both codes, `BATCH` clips at a time."""
        return list(
            zip(torch.split(self.static, BATCH), torch.split(self.dynamic, BATCH), strict=True)
        )

    def swap(self, donors: Int[ndarray, " clip"]) -> "Codes":
        """Return the static code of every clip with the dynamic code of its donor."""
        return Codes(self.static, self.dynamic[torch.from_numpy(donors).to(self.dynamic.device)])


@torch.no_grad()
def encode(
    model: S3VAE, clips: ClipFile, indices: Int[ndarray, " clip"], device: torch.device
) -> Codes:
    """Return the posterior means of the clips at these indices."""
    posteriors = [model.encode(batch()) for batch in video_batches(clips, indices, device)]
    return Codes(
        torch.cat([posterior.static.mean for posterior in posteriors]),
        torch.cat([posterior.dynamic.mean for posterior in posteriors]),
    )


@torch.no_grad()
def decoded_clips(model: ClipGenerator, codes: Codes) -> Iterator[Video]:
    """Decode codes in batches."""
    for pair in codes.batches():
        yield model.decode(*pair)


def predict_codes(model: ClipGenerator, judge: Judge, codes: Codes) -> Predictions:
    """Return the judge's predictions for the clips decoded from the codes."""
    return predict(judge, decoded_clips(model, codes))


def donors(count: int, seed: int) -> Int[ndarray, " clip"]:
    """Return for every clip the clip that donates its motion: a random cycle through all clips."""
    order = np.random.default_rng(seed).permutation(count)
    result = np.empty(count, dtype=np.int64)
    result[order] = np.roll(order, 1)
    return result


def reconstruction_error(
    model: S3VAE, codes: Codes, clips: ClipFile, indices: Int[ndarray, " clip"]
) -> float:
    """Return the squared error of [0, 1] intensities, summed over a clip, averaged over clips."""
    batches = video_batches(clips, indices, codes.static.device)
    errors = [
        (decoded - batch()).square().sum().item()
        for decoded, batch in zip(decoded_clips(model, codes), batches, strict=True)
    ]
    return sum(errors) / len(indices)
