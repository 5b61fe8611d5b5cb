"""The shapes of dSprites as outlines: what they cover in a pose, and how they move between poses.

Fitted on official frames: a pixel is covered by half or more exactly where the fit says it is set.
Lengths are in pixels, angles in radians; x grows to the right, y downwards.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32
from numpy import ndarray

SIZE = 64
SHAPES = ("square", "ellipse", "heart")
HALF_SIDE = 9.6
RADII = (12.76, 7.22)
REACH = 13.6
"""No point of any outline is farther from the centre."""
# fmt: off
HEART = np.array([
    5.12, 6.03, 6.94, 7.73, 8.31, 8.90, 9.41, 9.81, 10.23, 10.50, 10.73, 10.94, 11.11, 11.22, 11.19,
    11.22, 11.19, 11.20, 11.23, 11.07, 10.84, 10.74, 10.47, 10.26, 10.01, 9.68, 9.39, 9.06, 8.77,
    8.37, 8.15, 7.85, 7.58, 7.27, 7.20, 6.82, 6.70, 6.58, 6.40, 6.24, 6.22, 6.20, 5.90, 5.86, 5.88,
    5.95, 5.88, 5.88, 5.87, 5.96, 6.25, 6.22, 6.25, 6.43, 6.63, 6.84, 7.15, 7.45, 7.94, 8.40, 9.60,
])
# fmt: on
"""Radii of the heart at as many angles from up to down; it is its own mirror image."""


class Pose(NamedTuple):
    """Where an object is in each frame: its centre, its size (1 as the outlines are) and turn."""

    x: Float[ndarray, "*frames"]
    y: Float[ndarray, "*frames"]
    scale: Float[ndarray, "*frames"]
    angle: Float[ndarray, "*frames"]

    def of(self, index: int | slice) -> "Pose":
        """Pick the poses of one clip, or of a slice of the frames."""
        return Pose(*(each[index] for each in self))


Field = Float32[ndarray, "frames height width"]


def coverage(shape: str, pose: Pose) -> Field:
    """Draw the share of each pixel that the shape covers, from the distance to its outline."""
    rows, columns = _window(pose)
    x, y = _from_centre(pose, rows, columns)
    cos, sin, scale = _column(np.cos(pose.angle)), _column(np.sin(pose.angle)), _column(pose.scale)
    depth = _DEPTHS[shape]((cos * x - sin * y) / scale, (sin * x + cos * y) / scale)
    covered = np.zeros((len(pose.x), SIZE, SIZE), np.float32)
    covered[:, rows, columns] = np.clip(depth * scale + np.float32(0.5), 0, 1)
    return covered


def flow(
    covered: Bool[ndarray, "frames height width"], pose: Pose
) -> Float32[ndarray, "pairs height width 2"]:
    """How far (x, y) what is on each covered pixel moves until the next frame; elsewhere 0."""
    now, then = pose.of(np.s_[:-1]), pose.of(np.s_[1:])
    rows, columns = _window(pose)
    x, y = _from_centre(now, rows, columns)
    growth, turn = _column(then.scale / now.scale), now.angle - then.angle
    cos, sin = growth * _column(np.cos(turn)), growth * _column(np.sin(turn))
    there = covered[:-1, rows, columns]
    moves = np.zeros((len(now.x), SIZE, SIZE, 2), np.float32)
    moves[:, rows, columns, 0] = ((cos - 1) * x - sin * y + _column(then.x - now.x)) * there
    moves[:, rows, columns, 1] = (sin * x + (cos - 1) * y + _column(then.y - now.y)) * there
    return moves


def _window(pose: Pose) -> tuple[slice, slice]:
    """Bound the rows and columns that the object may touch in any frame: few, which saves time."""
    reach = REACH * pose.scale + 1
    low = np.floor([(pose.y - reach).min(), (pose.x - reach).min()]).clip(0, SIZE).astype(int)
    high = np.ceil([(pose.y + reach).max(), (pose.x + reach).max()]).clip(0, SIZE).astype(int)
    return slice(low[0], high[0]), slice(low[1], high[1])


def _from_centre(
    pose: Pose, rows: slice, columns: slice
) -> tuple[Float32[ndarray, "frames 1 width"], Float32[ndarray, "frames height 1"]]:
    """Where the middles of the pixels are as seen from the object's centre."""
    middles = np.arange(SIZE, dtype=np.float32) + np.float32(0.5)
    return middles[columns] - _column(pose.x), middles[rows, None] - _column(pose.y)


def _column(values: Float[ndarray, " frames"]) -> Float32[ndarray, "frames 1 1"]:
    return values.astype(np.float32)[:, None, None]


def _depth_in_square(u: Field, v: Field) -> Field:
    """How deep a point lies inside the outline, negative outside (so in each of these)."""
    return np.asarray(np.float32(HALF_SIDE) - np.maximum(np.abs(u), np.abs(v)))


def _depth_in_ellipse(u: Field, v: Field) -> Field:
    """To first order: the implicit function over the length of its gradient."""
    u, v = u / np.float32(RADII[0]), v / np.float32(RADII[1])
    radius = np.sqrt(u**2 + v**2)
    slope = np.sqrt((u / np.float32(RADII[0])) ** 2 + (v / np.float32(RADII[1])) ** 2)
    return (1 - radius) * radius / np.maximum(slope, np.float32(1e-6))


def _depth_in_heart(u: Field, v: Field) -> Field:
    """To first order: the radial distance times the cosine of the outline's slope."""
    angle = np.arctan2(np.abs(u), -v, dtype=np.float64)  # single precision differs between CPUs
    outline = np.interp(angle, _ANGLES, HEART)
    cosine = np.interp(angle, _ANGLES, _HEART_COSINES)
    return np.asarray((outline - np.sqrt(u**2 + v**2)) * cosine, np.float32)


_ANGLES = np.linspace(0, np.pi, len(HEART))
_HEART_COSINES = 1 / np.hypot(1, np.gradient(HEART, _ANGLES) / HEART)
_DEPTHS = {"square": _depth_in_square, "ellipse": _depth_in_ellipse, "heart": _depth_in_heart}
