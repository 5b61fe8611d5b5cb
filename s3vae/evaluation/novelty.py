"""Whether drawn clips are new: combinations of attributes, and copies of clips of training."""

import math
from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from s3vae.data.clips import ClipFile
from s3vae.judge.predictions import video_batches
from s3vae.tensors import Video

Thumbnails = Float[Tensor, "_clip value"]
THUMBNAIL_SIDE = 16
"""Rows and columns of the frames of a thumbnail."""
COPIES_AMONG_REAL = 0.05
"""The share of one set of train clips that count as copies of another."""
MOST = 1000
"""The most clips of a kind that are compared."""
CPU = torch.device("cpu")


def thumbnails(video: Video) -> Thumbnails:
    """Return every clip as one vector of small frames."""
    frames = adaptive_avg_pool2d(video.flatten(0, 1), THUMBNAIL_SIDE)
    return frames.reshape(len(video), -1)


class Appearances:
    """The combinations of static attributes among the clips of training."""

    def __init__(self, clips: ClipFile) -> None:
        self.names = [factor.name for factor in clips.static_factors]
        train = clips.split("train")
        self.labels = np.array([clips.labels(name)[train] for name in self.names]).T
        self.known = {*map(tuple, self.labels.tolist())}

    def unseen(self, predictions: Mapping[str, Float[ndarray, "clip value"]]) -> float:
        """Return the share of clips with a combination that training never showed."""
        if not self.names:
            return math.nan
        found = np.array([predictions[name].argmax(axis=1) for name in self.names]).T
        return float(np.mean([tuple(each) not in self.known for each in found.tolist()]))

    def unseen_if_independent(self) -> float:
        """Return that share for attributes drawn apart, each as often as in training."""
        if not self.names:
            return math.nan
        shares = [np.bincount(each) / len(each) for each in self.labels.T]
        chosen = (
            (share[value] for share, value in zip(shares, each, strict=True)) for each in self.known
        )
        return 1 - float(sum(map(math.prod, chosen)))


class Copies:
    """At most 1,000 clips of training, and how near a clip must be to be a copy of one.

    So near that 5 % of as many other train clips are copies: drawn clips that are as new as these
    have at most this share, and repeated train clips the share of the 1,000 more.
    """

    def __init__(self, clips: ClipFile) -> None:
        train = np.random.default_rng(0).permutation(clips.split("train"))[: 2 * MOST]
        self.others = train[1::2]
        """The rows of the other train clips."""
        self.known, others = (
            torch.cat([thumbnails(batch()) for batch in video_batches(clips, rows, CPU)])
            for rows in (train[::2], self.others)
        )
        self.radius = nearest(others, self.known).quantile(COPIES_AMONG_REAL)

    def share(self, drawn: Thumbnails) -> float:
        """Return the share of clips that are copies."""
        return float((nearest(drawn, self.known) <= self.radius).double().mean())


def nearest(points: Thumbnails, others: Thumbnails) -> Float[Tensor, " point"]:
    """Return the distance of each clip to the nearest of others."""
    return torch.cdist(points, others).amin(dim=1)
