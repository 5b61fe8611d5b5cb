"""How the clips of training were cut, so that other videos can be cut alike, and are known."""

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
    """The usual squared error per pixel of reconstructions, intensities in [0, 1], by which other
    kinds of videos are noticed; null: not known."""


def preparation_of(clips: ClipFile, error_per_pixel: float | None = None) -> Preparation:
    """Return how the clips of a file were cut, with the usual error of a model of them."""
    made = clips.parameters
    stride = made["cut"]["stride"] if "cut" in made else made.get("step", 1)
    crop, fps = made.get("crop", "centre"), made.get("fps")
    return Preparation(clips.name, clips.time, stride, crop, fps, error_per_pixel)
