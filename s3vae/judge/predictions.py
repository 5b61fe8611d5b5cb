"""Real clips before the judge, a batch at a time: only probabilities are kept."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Int
from numpy import ndarray

from s3vae.data.clips import ClipFile
from s3vae.judge.network import Judge
from s3vae.judge.scores import Probabilities
from s3vae.tensors import Video, to_unit

BATCH = 64
Judged = dict[str, Probabilities]
"""By factor, the judge's probabilities for every clip."""


def video_batches(
    clips: ClipFile, indices: Int[ndarray, " clip"], device: torch.device
) -> list[Callable[[], Video]]:
    """The clips with these numbers, in batches that are read when they are called for."""

    def read(some: Int[ndarray, " batch"]) -> Callable[[], Video]:
        return lambda: to_unit(torch.from_numpy(clips.frames(some)).to(device))

    return [read(indices[start : start + BATCH]) for start in range(0, len(indices), BATCH)]


def judge_clips(
    judge: Judge, clips: ClipFile, indices: Int[ndarray, " clip"], device: torch.device
) -> Judged:
    """What the judge says of real clips."""
    return judged([judge.probabilities(batch()) for batch in video_batches(clips, indices, device)])


def judged(batches: list[dict[str, torch.Tensor]]) -> Judged:
    """The answers on batches as one array per factor."""
    return {
        name: np.concatenate([batch[name].cpu().numpy() for batch in batches])
        for name in batches[0]
    }
