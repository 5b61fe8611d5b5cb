"""Clips generated from codes, judged as they are made: only codes and probabilities are kept."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int
from numpy import ndarray
from torch import Generator

from s3vae.data.clips import ClipFile
from s3vae.distributions import standard_normal
from s3vae.evaluation.judge import Judge
from s3vae.evaluation.judging import BATCH, Judged, judged, video_batches
from s3vae.model.s3vae import S3VAE
from s3vae.tensors import DynamicCode, StaticCode


@dataclass(frozen=True)
class Codes:
    """The two codes of some clips; either may be replaced by other clips' or by drawn ones."""

    static: StaticCode
    dynamic: DynamicCode

    def draw_static(self, generator: Generator) -> "Codes":
        """The same motions with appearances drawn from N(0, I): one draw per clip."""
        prior = standard_normal(*self.static.shape, device=self.static.device)
        return Codes(prior.sample(generator), self.dynamic)

    @torch.no_grad()
    def draw_dynamic(self, model: S3VAE, generator: Generator) -> "Codes":
        """The same appearances with motions drawn from the learned prior: one draw per clip."""
        clips, time = self.dynamic.shape[:2]
        return Codes(self.static, model.prior.sample(clips, time, generator))

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
def judge_codes(model: S3VAE, judge: Judge, codes: Codes) -> Judged:
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
