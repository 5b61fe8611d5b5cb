"""Clips generated from codes, judged as they are made: only codes and probabilities are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Int
from numpy import ndarray
from torch import Generator

from s3vae.baselines.mocogan.generator import MoCoGAN
from s3vae.data.clips import ClipFile
from s3vae.judge.network import Judge
from s3vae.judge.predictions import BATCH, Judged, judged, video_batches
from s3vae.model.s3vae import S3VAE
from s3vae.tensors import DynamicCode, Labels, StaticCode, Video


@runtime_checkable
class Generating(Protocol):
    """What makes clips from codes, and draws either code."""

    def draw_static(self, batch: int, generator: Generator) -> StaticCode:
        """New appearances."""

    def draw_dynamic(self, batch: int, time: int, generator: Generator) -> DynamicCode:
        """New motions."""

    def decode(self, static: StaticCode, dynamic: DynamicCode) -> Video:
        """The clips of these codes."""


@dataclass(frozen=True)
class ToldGenerator:
    """MoCoGAN, told for every clip that it draws the categories of a known one."""

    model: MoCoGAN
    labels: Mapping[str, Labels]

    def draw_static(self, _batch: int, generator: Generator) -> StaticCode:
        """New contents, of the categories told if content is what they decide."""
        return self.model.draw_static(self.labels, generator)

    def draw_dynamic(self, _batch: int, time: int, generator: Generator) -> DynamicCode:
        """New motions; of any category where it is motion that they decide."""
        categories = self.model.categories
        moving = categories.kind == "dynamic"
        count = len(next(iter(self.labels.values())))
        labels = categories.draw(count, generator) if moving else self.labels
        return self.model.draw_dynamic(labels, time, generator)

    def decode(self, static: StaticCode, dynamic: DynamicCode) -> Video:
        """The clips of these codes."""
        return self.model.decode(static, dynamic)

    @torch.no_grad()
    def codes(self, time: int, generator: Generator) -> "Codes":
        """In place of what an encoder would say of the known clips: codes of their categories."""
        return Codes(
            self.model.draw_static(self.labels, generator),
            self.model.draw_dynamic(self.labels, time, generator),
        )


@dataclass(frozen=True)
class Codes:
    """The two codes of some clips; either may be replaced by other clips' or by drawn ones."""

    static: StaticCode
    dynamic: DynamicCode

    @torch.no_grad()
    def draw_static(self, model: Generating, generator: Generator) -> "Codes":
        """The same motions with drawn appearances: one draw per clip."""
        return Codes(model.draw_static(len(self.static), generator), self.dynamic)

    @torch.no_grad()
    def draw_dynamic(self, model: Generating, generator: Generator) -> "Codes":
        """The same appearances with drawn motions: one draw per clip."""
        clips, time = self.dynamic.shape[:2]
        return Codes(self.static, model.draw_dynamic(clips, time, generator))

    def batches(self) -> list[tuple[StaticCode, DynamicCode]]:
        """Both codes, `BATCH` clips at a time."""
        return list(
            zip(torch.split(self.static, BATCH), torch.split(self.dynamic, BATCH), strict=True)
        )

    def swap(self, donors: Int[ndarray, " clip"]) -> "Codes":
        """Every clip's appearance with the motion of its donor."""
        return Codes(self.static, self.dynamic[torch.from_numpy(donors).to(self.dynamic.device)])


@torch.no_grad()
def encode(
    model: S3VAE, clips: ClipFile, indices: Int[ndarray, " clip"], device: torch.device
) -> Codes:
    """The posterior means of the clips with these numbers."""
    posteriors = [model.encode(batch()) for batch in video_batches(clips, indices, device)]
    return Codes(
        torch.cat([posterior.static.mean for posterior in posteriors]),
        torch.cat([posterior.dynamic.mean for posterior in posteriors]),
    )


@torch.no_grad()
def judge_codes(model: Generating, judge: Judge, codes: Codes) -> Judged:
    """What the judge says of the clips decoded from the codes."""
    return judged([judge.probabilities(model.decode(*pair)) for pair in codes.batches()])


def donors(count: int, seed: int) -> Int[ndarray, " clip"]:
    """For every clip another one to take the motion from: a random cycle through all of them."""
    order = np.random.default_rng(seed).permutation(count)
    result = np.empty(count, dtype=np.int64)
    result[order] = np.roll(order, 1)
    return result


@torch.no_grad()
def reconstruction_error(
    model: S3VAE, codes: Codes, clips: ClipFile, indices: Int[ndarray, " clip"]
) -> float:
    """Sum of squares over a clip of [0, 1] intensities, mean over the clips with these numbers."""
    batches = video_batches(clips, indices, codes.static.device)
    errors = [
        (model.decode(*pair) - batch()).square().sum().item()
        for pair, batch in zip(codes.batches(), batches, strict=True)
    ]
    return sum(errors) / len(indices)
