"""More clips to train on from few videos: they overlap, and lie between clips of train alone."""

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Integer
from numpy import ndarray

from s3vae.data.footage import Footage
from s3vae.data.splits import TRAIN


class Overlapping(NamedTuple):
    """Footage with more clips, and for each of its clips the one whose split and labels it has."""

    footage: list[Footage]
    origin: Integer[ndarray, " clip"]


def overlapping(
    footage: Sequence[Footage], split: Integer[ndarray, " clip"], least: int
) -> Overlapping:
    """Add clips between neighbouring train clips until train has `least`, or all that there are.

    `split` has an entry per clip of the footage. Added clips show only frames of train clips, so
    that no frame gets into another split.
    """
    numbers = itertools.count()
    clips = [[next(numbers) for _ in video.windows] for video in footage]
    gaps = {
        first
        for video, indices in zip(footage, clips, strict=True)
        for first, second, here, there in zip(
            indices, indices[1:], video.windows, video.windows[1:], strict=False
        )
        if split[first] == split[second] == TRAIN and video.follow(here, there)
    }
    missing = least - int((split == TRAIN).sum())
    each = math.ceil(missing / len(gaps)) if gaps and missing > 0 else 0
    longer, origin = [], []
    for video, indices in zip(footage, clips, strict=True):
        windows: list[Sequence[int]] = []
        boxes = []
        for index, window, box in zip(indices, video.windows, video.boxes, strict=True):
            added = video.between(window, each) if index in gaps else []
            windows += [window, *added]
            boxes += [box] * (1 + len(added))
            origin += [index] * (1 + len(added))
        longer.append(video._replace(windows=tuple(windows), boxes=tuple(boxes)))
    return Overlapping(longer, np.array(origin))
