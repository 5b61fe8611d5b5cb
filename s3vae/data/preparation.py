"""How the clips of a data set were cut from videos, so that other videos can be cut alike."""

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


def preparation_of(clips: ClipFile) -> Preparation:
    """Return how the clips of a file were cut."""
    made = clips.parameters
    stride = made["cut"]["stride"] if "cut" in made else made.get("step", 1)
    crop = made.get("crop", "centre")
    return Preparation(clips.name, clips.time, stride, crop, made.get("fps"))
