"""The motion signal of a clip: what its optical flow says, in the cells of a grid."""

from collections.abc import Callable
from dataclasses import asdict, replace
from dataclasses import dataclass as value
from typing import Annotated, Any, Literal

import numpy as np
from jaxtyping import Float, Float32, Int8, Int16, UInt8
from numpy import ndarray
from pydantic import Field, NonNegativeFloat, PositiveInt
from pydantic.dataclasses import dataclass

from s3vae.grid import cell_motion
from s3vae.settings import STRICT
from s3vae.signals.optical_flow import Farneback, FlowMethod, clip_flow

STILL = -1
DIRECTIONS = 8
TRACKED_AT_ONCE = 16
"""Clips: a tracker needs much memory for each."""
Tracker = Callable[[ndarray], tuple[Any, Any]]
"""From frames uint8 [clip, time, height, width, channel] to tracks and unexplained squares."""


@dataclass(frozen=True, config=STRICT)
class MotionSettings:
    """How flow is found and summarised.

    `top` cells are kept as the strongest; a cell moves when its mean magnitude is at least `moving`
    (pixels per frame); the direction of a moving cell is one of `directions` equal bins. With
    `objects` two bright objects on black are followed too, for an encoder that looks at them.
    """

    method: FlowMethod = Field(default_factory=Farneback)
    rows: PositiveInt = 3
    columns: PositiveInt = 3
    top: PositiveInt = 3
    directions: Annotated[int, Field(ge=2, le=127)] = DIRECTIONS
    moving: NonNegativeFloat = 0.05
    objects: Literal[0, 2] = 0

    @property
    def parameters(self) -> dict[str, Any]:
        """What is noted beside the signal."""
        noted = asdict(self)
        if not self.objects:  # files in which nothing is followed stay as they were
            del noted["objects"]
        return noted


@value(frozen=True)
class Motion:
    """The signal of some clips of `time` frames, hence `time - 1` neighbouring pairs.

    `cells`: mean magnitude, x and y (pixels per frame); `top`: the strongest cells, strongest
    first, numbered row by row; `direction`: bin of each moving cell, -1 for a still one. Where
    objects are followed, `tracks`: row and column of the corner of each one's window, and
    `unexplained`: what both leave of a frame, a sum of squares (intensities in [0, 1]).
    """

    cells: Float[ndarray, "clip pair rows columns 3"]
    top: UInt8[ndarray, "clip pair top"]
    direction: Int8[ndarray, "clip pair rows columns"]
    tracks: Int16[ndarray, "clip time 2 2"] | None = None
    unexplained: Float32[ndarray, " clip"] | None = None


def clips_motion(
    frames: UInt8[ndarray, "clip time height width channel"],
    settings: MotionSettings,
    track: Tracker | None = None,
) -> Motion:
    """Return the motion signal of each clip, from its frames alone.

    `track` follows the objects of some clips, where the settings ask for `objects`.
    """
    cells = [
        cell_motion(clip_flow(clip, settings.method), settings.rows, settings.columns)
        for clip in frames
    ]
    motion = summary(np.stack(cells), settings)
    if track is None:
        return motion
    parts = [
        track(frames[first : first + TRACKED_AT_ONCE])
        for first in range(0, len(frames), TRACKED_AT_ONCE)
    ]
    tracks, unexplained = (np.concatenate(each) for each in zip(*parts, strict=True))
    return replace(motion, tracks=tracks.astype(np.int16), unexplained=unexplained)


def summary(cells: Float[ndarray, "clip pair rows columns 3"], settings: MotionSettings) -> Motion:
    """Strongest cells and directions of cell motion, found or exact."""
    return Motion(
        cells=cells,
        top=strongest_cells(cells[..., 0], settings.top),
        direction=directions(cells, settings.directions, settings.moving),
    )


def strongest_cells(
    magnitude: Float[ndarray, "*pairs rows columns"], count: int
) -> UInt8[ndarray, "*pairs {count}"]:
    """The `count` cells of greatest magnitude, greatest first; equal ones in the order of cells."""
    flat = magnitude.reshape(*magnitude.shape[:-2], -1)
    if count > flat.shape[-1]:
        raise ValueError(
            f"top must be at most the number of cells, {flat.shape[-1]}: it is {count}"
        )
    return np.argsort(-flat, axis=-1, kind="stable")[..., :count].astype(np.uint8)


def directions(
    cells: Float[ndarray, "*pairs rows columns 3"], bins: int, moving: float
) -> Int8[ndarray, "*pairs rows columns"]:
    """The bin of each cell's mean direction: bin 0 is centred on +x, bins grow towards +y (down).

    Cells whose mean magnitude is below `moving`, or exactly 0, are -1.
    """
    magnitude, x, y = np.moveaxis(cells, -1, 0)
    turn = np.arctan2(y, x) / (2 * np.pi)
    binned = np.round(turn * bins).astype(np.int64) % bins
    return np.where((magnitude >= moving) & (magnitude > 0), binned, STILL).astype(np.int8)
