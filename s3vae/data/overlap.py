"""More clips to train on from few videos: they overlap with clips of train, and with no others."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Integer
from numpy import ndarray

from s3vae.data.footage import Footage
from s3vae.data.splits import TRAIN


def overlapping(
    footage: Sequence[Footage], split: Integer[ndarray, " clip"], least: int
) -> tuple[list[Footage], Integer[ndarray, " longer"]]:
    """Add clips that begin within those of train until train has `least`, or all that there are.

    Also returns, for each clip, the index of the one in `split` whose split and labels it has. An
    added clip lies within two neighbouring train clips, or within the last clip of a video and what
    follows it, so no frame is in two splits.
    """
    parts = np.split(split == TRAIN, np.cumsum([len(video.windows) for video in footage])[:-1])
    found = [
        video.begun_within(k) if train[k : k + 2].all() else []
        for video, train in zip(footage, parts, strict=True)
        for k in range(len(train))
    ]
    places = [(index, k) for index, each in enumerate(found) for k in range(len(each))]
    wanted = min(max(least - int((split == TRAIN).sum()), 0), len(places))
    added = {places[k] for k in np.linspace(0, len(places) - 1, wanted).astype(int)}
    longer, origin, index = [], [], 0
    for video in footage:
        clips = []
        for clip in zip(video.windows, video.boxes, strict=True):
            more = [each for k, each in enumerate(found[index]) if (index, k) in added]
            clips += [clip, *more]
            origin += [index] * (1 + len(more))
            index += 1
        windows, boxes = zip(*clips, strict=True)
        longer.append(video._replace(windows=windows, boxes=boxes))
    return longer, np.array(origin)
