"""How the clips of training were cut, so that other videos can be cut alike, and are known."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from s3vae.data.clips import ClipFile
from s3vae.settings import STRICT, Crop

PREPARATION = "clips.json"
"""The file in a model's folder that holds its preparation."""
VAL = "val_reconstruction"
PIXELS = 64 * 64
"""Errors of a training are per frame of so many pixels, whatever the size (losses/elbo.py)."""
MOST_OF_TRAIN = 10
"""Clips of known appearances have 0.8 to 8 times the error of train clips, an unknown face 450."""


@dataclass(frozen=True, config=STRICT)
class Preparation:
    """The cut of videos into the clips that a model was trained on; its architecture has sizes."""

    dataset: str = "videos"
    time: Annotated[int, Field(ge=1)] = 15
    """Frames of a clip."""
    stride: Annotated[int, Field(ge=1)] | None = 1
    """Distance between the frames of a clip in its video; null: it varied."""
    crop: Crop = "centre"
    fps: Annotated[float, Field(gt=0)] | None = None
    """Frames per second of the videos before the cut; null: those of each video."""
    error_per_pixel: Annotated[float, Field(ge=0)] | None = None
    """The usual squared error per pixel of reconstructions, intensities in [0, 1], by which other
    kinds of videos are noticed; null: not known, or in the facts of a package."""


def preparation_of(clips: ClipFile, history: Sequence[Mapping[str, float]] = ()) -> Preparation:
    """Return how the clips of a file were cut, with the error at the end of a training on them."""
    made = clips.parameters
    stride = made["cut"]["stride"] if "cut" in made else made.get("step", 1)
    crop = made.get("crop", "centre")
    return Preparation(
        clips.name, clips.time, stride, crop, made.get("fps"), _usual(history, clips)
    )


def _usual(history: Sequence[Mapping[str, float]], clips: ClipFile) -> float | None:
    """Return the last error of validation clips per pixel, if it is finite.

    They may show appearances that training never showed, which the model does not know: so it is at
    most MOST_OF_TRAIN times that of train clips. Both are of codes drawn from the posterior.
    """
    errors = [(row["reconstruction"], row[VAL]) for row in history if VAL in row]
    if not errors or not all(map(math.isfinite, errors[-1])):
        return None
    train, val = errors[-1]
    return float(min(val, MOST_OF_TRAIN * train) / (clips.time * PIXELS * clips.shape[-1]))
