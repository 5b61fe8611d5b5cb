"""Moving dSprites: an analytically drawn, coloured shape that moves in one of six ways."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar, Literal, NamedTuple

import numpy as np
from jaxtyping import Float32, Int, UInt8
from numpy import ndarray
from pydantic import Field
from pydantic.dataclasses import dataclass

from s3vae.data.clips import SPLITS, ClipSet, Factor
from s3vae.data.download import RemoteFile
from s3vae.data.dsprites.shapes import SHAPES, SIZE, Pose, coverage, flow
from s3vae.grid import cell_motion
from s3vae.settings import STRICT

GRID = (3, 3)
PERIOD = 12
"""Frames of a cycle of each motion, and of a half turn, at mean speed."""
AMPLITUDE = 10.0
"""Pixels from the centre of a path to its end."""
GROWTH = 0.35
HARD_START = 7.0
"""Largest offset of the start position, in pixels, in the hard variant."""

SCALES = (0.6, 0.8, 1.0)
COLOURS = {
    "red": (255, 0, 0),
    "orange": (255, 128, 0),
    "yellow": (255, 255, 0),
    "green": (0, 255, 0),
    "cyan": (0, 255, 255),
    "blue": (0, 64, 255),
    "violet": (128, 0, 255),
    "magenta": (255, 0, 191),
    "white": (255, 255, 255),
}
MOTIONS = ("left-right", "up-down", "circle", "rotate", "grow-shrink", "diagonal")
STATIC = (len(SHAPES), len(SCALES), len(COLOURS))
VALIDATION, TEST = (3,), (0, 5)
"""Residues of (shape + 3 scale + colour) mod 9, which balance the values of every factor."""


@dataclass(frozen=True, config=STRICT)
class DSprites:
    """Each of the 81 identities with each of the 6 motions, `takes` times.

    In phase, all clips of a motion start alike, up to `start_jitter` pixels along each axis and a
    relative `speed_jitter` of speed and amplitude. The hard variant starts at a random phase and
    position. With probability `dependence` the motion of a clip to train or validate on is that of
    its colour; test clips stay independent, so that scores show what a method learnt from it.
    """

    kind: Literal["dsprites"] = "dsprites"
    variant: Literal["in-phase", "hard"] = "in-phase"
    seed: int = 0
    time: Annotated[int, Field(ge=2)] = 12
    takes: Annotated[int, Field(ge=1)] = 8
    start_jitter: Annotated[float, Field(ge=0, le=HARD_START)] = 1.0
    speed_jitter: Annotated[float, Field(ge=0, le=0.2)] = 0.05
    dependence: Annotated[float, Field(ge=0, le=1)] = 0.0
    files: ClassVar[tuple[RemoteFile, ...]] = ()

    def clips(self, raw: Path) -> ClipSet:
        """Draw the set and its exact motion; `raw` is not read."""
        grid = (*STATIC, len(MOTIONS), self.takes)
        shape, scale, colour, motion, _ = np.indices(grid).reshape(len(grid), -1)
        split, parameters = _split(shape, scale, colour), dataclasses.asdict(self)
        if self.dependence:
            draws = np.random.default_rng((self.seed, 1)).random(len(motion))
            chosen = (draws < self.dependence) & (split != SPLITS.index("test"))
            motion = np.where(chosen, colour % len(MOTIONS), motion)
        else:
            del parameters["dependence"]  # files of independent clips keep their bytes
        poses = self._poses(scale, motion)
        return ClipSet(
            name="dsprites",
            source="dSprites-like (analytic)",
            licence="MIT",
            parameters=parameters,
            shape=(len(shape), self.time, SIZE, SIZE, 3),
            frames=_frames(shape, colour, poses),
            factors=(
                Factor("shape", "static", SHAPES),
                Factor("scale", "static", tuple(str(value) for value in SCALES)),
                Factor("colour", "static", tuple(COLOURS)),
                Factor("motion", "dynamic", MOTIONS),
            ),
            labels={"shape": shape, "scale": scale, "colour": colour, "motion": motion},
            identity=np.ravel_multi_index((shape, scale, colour), STATIC),
            split=split,
            motion=_motion(shape, poses),
        )

    def of_source(self, source: str) -> "DSprites":
        """Return the set itself, which has one source."""
        return self

    def fresh_clips(self, raw: Path) -> "IndependentClips":
        """Draw clips for a judge, which must not infer the motion from the colour."""
        return IndependentClips(self)

    def _poses(self, scale: Int[ndarray, " clip"], motion: Int[ndarray, " clip"]) -> Pose:
        """Draw the pose of every clip and frame, [clip, time]."""
        draw, hard = np.random.default_rng(self.seed), self.variant == "hard"
        start, (speed, size), begin = (
            draw.uniform(-1, 1, (count, len(motion), 1)) for count in (2, 2, 1)
        )
        start = SIZE / 2 + start * (HARD_START if hard else self.start_jitter)
        speed, size = 1 + speed * self.speed_jitter, 1 + size * self.speed_jitter
        phase = np.pi * hard * begin[0] + 2 * np.pi / PERIOD * speed * np.arange(self.time)
        is_a = {name: motion[:, None] == index for index, name in enumerate(MOTIONS)}
        wave, path = np.sin(phase), AMPLITUDE * size
        slant = is_a["diagonal"] * np.sqrt(0.5)
        across = (is_a["left-right"] + slant) * wave + is_a["circle"] * np.cos(phase)
        down = (is_a["up-down"] + is_a["circle"] + slant) * wave
        growth = 1 + is_a["grow-shrink"] * GROWTH * size * wave
        return Pose(
            x=start[0] + path * across,
            y=start[1] + path * down,
            scale=np.array(SCALES)[scale][:, None] * growth,
            angle=is_a["rotate"] * phase / 2,
        )


class IndependentClips(NamedTuple):
    """Each of the train split's identities in turn with each motion, jittered by its number."""

    settings: DSprites

    def clip(self, number: int) -> tuple[UInt8[ndarray, "time height width 3"], dict[str, int]]:
        """Draw the frames of a clip and the labels of its factors."""
        identities = np.indices(STATIC).reshape(len(STATIC), -1)
        identities = identities[:, _split(*identities) == SPLITS.index("train")]
        turn, motion = divmod(number, len(MOTIONS))
        shape, scale, colour = identities[:, [turn % identities.shape[1]]]
        poses = dataclasses.replace(self.settings, seed=number)._poses(scale, np.array([motion]))
        (frames,) = _frames(shape, colour, poses)
        labels = {"shape": shape, "scale": scale, "colour": colour}
        return frames, {name: int(*each) for name, each in labels.items()} | {"motion": motion}


def _split(
    shape: Int[ndarray, " clip"], scale: Int[ndarray, " clip"], colour: Int[ndarray, " clip"]
) -> UInt8[ndarray, " clip"]:
    residue = (shape + len(SHAPES) * scale + colour) % len(COLOURS)
    return (np.isin(residue, VALIDATION) + 2 * np.isin(residue, TEST)).astype(np.uint8)


def _frames(
    shape: Int[ndarray, " clip"], colour: Int[ndarray, " clip"], poses: Pose
) -> Iterator[UInt8[ndarray, "time height width 3"]]:
    """Yield each clip: its colour, scaled by the coverage of its shape, on black."""
    shares = np.arange(256)[:, None] / 255
    shades = [np.rint(shares * colour).astype(np.uint8) for colour in COLOURS.values()]
    for index, pose in enumerate(map(poses.of, range(len(shape)))):
        covered = coverage(SHAPES[shape[index]], pose)
        levels = np.rint(covered * 255).astype(np.uint8)
        yield np.take(shades[colour[index]], levels, axis=0, mode="clip")  # 5x faster than [...]


def _motion(
    shape: Int[ndarray, " clip"], poses: Pose
) -> Float32[ndarray, "clip pair rows columns 3"]:
    """Compute the exact motion of each clip on the grid, over pixels covered by half or more."""
    return np.stack(
        [
            cell_motion(flow(coverage(SHAPES[kind], pose) >= 0.5, pose), *GRID)
            for kind, pose in zip(shape, map(poses.of, range(len(shape))), strict=True)
        ]
    )
