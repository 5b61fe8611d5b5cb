"""The motion signal of a clip: its optical flow, averaged over the cells of a grid."""

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
"""Clips passed to the tracker in one call, which bounds its memory."""
Tracker = Callable[[ndarray], tuple[Any, Any]]
"""Maps frames, uint8 [clip, time, height, width, channel], to tracks and residuals."""


@dataclass(frozen=True, config=STRICT)
class MotionSettings:
    """The flow method, and the summary of its flow on a grid.

    `top`: number of strongest cells; `moving`: least mean magnitude (pixels per frame) of a moving
    cell; `directions`: number of equal bins that its direction falls into. With `objects` two
    bright objects on black are tracked as well, for the object encoder.
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
        """The settings as the signal file stores them: `objects` only if objects are tracked."""
        parameters = asdict(self)
        if not self.objects:
            del parameters["objects"]
        return parameters


@value(frozen=True)
class Motion:
    """The signal of some clips of `time` frames, hence `time - 1` pairs of neighbouring frames.

    `cells`: mean magnitude, x and y (pixels per frame); `top`: row-major indices of the strongest
    cells, strongest first; `direction`: bin of each moving cell, -1 for a still one. With tracked
    objects, `tracks`: row and column of the corner of each window, and `unexplained`: the residual
    sum of squares per frame (intensities in [0, 1]).
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
    """Return the motion signal of each clip, independent of the other clips.

    `track` tracks the objects of a batch of clips, if the settings have `objects`.
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
    tracks, residual = (np.concatenate(each) for each in zip(*parts, strict=True))
    return replace(motion, tracks=tracks.astype(np.int16), unexplained=residual)


def summary(cells: Float[ndarray, "clip pair rows columns 3"], settings: MotionSettings) -> Motion:
    """Return estimated or exact cell motion with its strongest cells and directions."""
    return Motion(
        cells=cells,
        top=strongest_cells(cells[..., 0], settings.top),
        direction=directions(cells, settings.directions, settings.moving),
    )


def strongest_cells(
    magnitude: Float[ndarray, "*pairs rows columns"], count: int
) -> UInt8[ndarray, "*pairs {count}"]:
    """Return the indices of the `count` strongest cells, strongest first; ties by index."""
    flat = magnitude.reshape(*magnitude.shape[:-2], -1)
    if count > flat.shape[-1]:
        raise ValueError(
            f"top must be at most the number of cells, {flat.shape[-1]}: it is {count}"
        )
    return np.argsort(-flat, axis=-1, kind="stable")[..., :count].astype(np.uint8)


def directions(
    cells: Float[ndarray, "*pairs rows columns 3"], bins: int, moving: float
) -> Int8[ndarray, "*pairs rows columns"]:
    """Bin each cell's mean direction: bin 0 is centred on +x, bins increase towards +y (down).

    Cells whose mean magnitude is below `moving`, or exactly 0, are -1.
    """
    magnitude, x, y = np.moveaxis(cells, -1, 0)
    turn = np.arctan2(y, x) / (2 * np.pi)
    binned = np.round(turn * bins).astype(np.int64) % bins
    return np.where((magnitude >= moving) & (magnitude > 0), binned, STILL).astype(np.int8)
