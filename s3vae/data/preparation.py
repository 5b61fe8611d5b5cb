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
    """The squared error of reconstructed validation clips, intensities in [0, 1]: a video with
    a much larger one is of another kind. null: not known."""


def preparation_of(clips: ClipFile, history: Sequence[Mapping[str, float]] = ()) -> Preparation:
    """Return how the clips of a file were cut, with the error at the end of a training on them."""
    made = clips.parameters
    stride = made["cut"]["stride"] if "cut" in made else made.get("step", 1)
    crop = made.get("crop", "centre")
    errors = [row["val_reconstruction"] for row in history if "val_reconstruction" in row]
    per_pixel = errors[-1] / math.prod(clips.shape[1:]) if errors else None
    return Preparation(clips.name, clips.time, stride, crop, made.get("fps"), per_pixel)
