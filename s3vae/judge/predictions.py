"""Predictions of a judge, computed in batches: only probabilities stay in memory."""

from collections.abc import Callable, Iterable

import numpy as np
import torch
from jaxtyping import Int
from numpy import ndarray

from s3vae.data.clips import ClipFile
from s3vae.judge.network import Judge
from s3vae.judge.scores import Probabilities
from s3vae.tensors import Video, to_unit

BATCH = 64
Predictions = dict[str, Probabilities]
"""By factor, the judge's probabilities for every clip."""


def video_batches(
    clips: ClipFile, indices: Int[ndarray, " clip"], device: torch.device, size: int = BATCH
) -> list[Callable[[], Video]]:
    """Return the clips at these indices as batches, each read when it is called."""

    def reader(chosen: Int[ndarray, " batch"]) -> Callable[[], Video]:
        return lambda: to_unit(torch.from_numpy(clips.frames(chosen)).to(device))

    return [reader(indices[start : start + size]) for start in range(0, len(indices), size)]


def predict_clips(
    judge: Judge, clips: ClipFile, indices: Int[ndarray, " clip"], device: torch.device
) -> Predictions:
    """Return the judge's predictions for the real clips at these indices."""
    return predict(judge, (batch() for batch in video_batches(clips, indices, device)))


def predict(judge: Judge, videos: Iterable[Video]) -> Predictions:
    """Return the judge's predictions for batches of clips, an array per factor."""
    batches = [judge.probabilities(video) for video in videos]
    return {
        name: np.concatenate([batch[name].cpu().numpy() for batch in batches])
        for name in batches[0]
    }
