"""The outlines of the shapes of dSprites, their coverage of pixels and their exact flow.

Fitted to official frames, whose pixels are set exactly where the coverage is at least one half.
Lengths are in pixels, angles in radians; x points right, y down.
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
"""Largest distance of any outline from its centre."""
# fmt: off
HEART = np.array([
    5.12, 6.03, 6.94, 7.73, 8.31, 8.90, 9.41, 9.81, 10.23, 10.50, 10.73, 10.94, 11.11, 11.22, 11.19,
    11.22, 11.19, 11.20, 11.23, 11.07, 10.84, 10.74, 10.47, 10.26, 10.01, 9.68, 9.39, 9.06, 8.77,
    8.37, 8.15, 7.85, 7.58, 7.27, 7.20, 6.82, 6.70, 6.58, 6.40, 6.24, 6.22, 6.20, 5.90, 5.86, 5.88,
    5.95, 5.88, 5.88, 5.87, 5.96, 6.25, 6.22, 6.25, 6.43, 6.63, 6.84, 7.15, 7.45, 7.94, 8.40, 9.60,
])
# fmt: on
"""Radii of the heart at equally spaced angles from top to bottom; it is symmetric."""


class Pose(NamedTuple):
    """Centre, scale (1 for the outlines as they are) and angle of an object in each frame."""

    x: Float[ndarray, "*frames"]
    y: Float[ndarray, "*frames"]
    scale: Float[ndarray, "*frames"]
    angle: Float[ndarray, "*frames"]

    def of(self, index: int | slice) -> "Pose":
        """Select the poses of one clip, or of a slice of the frames."""
        return Pose(*(each[index] for each in self))


Field = Float32[ndarray, "frames height width"]


def coverage(shape: str, pose: Pose) -> Field:
    """Compute the share of each pixel that a shape covers, from the distance to its outline."""
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
    """Compute the displacement (x, y) of each covered pixel to the next frame; elsewhere 0."""
    now, then = pose.of(np.s_[:-1]), pose.of(np.s_[1:])
    rows, columns = _window(pose)
    x, y = _from_centre(now, rows, columns)
    growth, turn = _column(then.scale / now.scale), now.angle - then.angle
    cos, sin = growth * _column(np.cos(turn)), growth * _column(np.sin(turn))
    mask = covered[:-1, rows, columns]
    moves = np.zeros((len(now.x), SIZE, SIZE, 2), np.float32)
    moves[:, rows, columns, 0] = ((cos - 1) * x - sin * y + _column(then.x - now.x)) * mask
    moves[:, rows, columns, 1] = (sin * x + (cos - 1) * y + _column(then.y - now.y)) * mask
    return moves


def _window(pose: Pose) -> tuple[slice, slice]:
    """Bound the rows and columns that the object touches in any frame, which saves time."""
    reach = REACH * pose.scale + 1
    low = np.floor([(pose.y - reach).min(), (pose.x - reach).min()]).clip(0, SIZE).astype(int)
    high = np.ceil([(pose.y + reach).max(), (pose.x + reach).max()]).clip(0, SIZE).astype(int)
    return slice(low[0], high[0]), slice(low[1], high[1])


def _from_centre(
    pose: Pose, rows: slice, columns: slice
) -> tuple[Float32[ndarray, "frames 1 width"], Float32[ndarray, "frames height 1"]]:
    """Return the coordinates (x, y) of pixel centres relative to the object's centre."""
    pixels = np.arange(SIZE, dtype=np.float32) + np.float32(0.5)
    return pixels[columns] - _column(pose.x), pixels[rows, None] - _column(pose.y)


def _column(values: Float[ndarray, " frames"]) -> Float32[ndarray, "frames 1 1"]:
    return values.astype(np.float32)[:, None, None]


def _depth_in_square(u: Field, v: Field) -> Field:
    """Return the signed distance to the outline, positive inside, as the next two do."""
    return np.asarray(np.float32(HALF_SIDE) - np.maximum(np.abs(u), np.abs(v)))


def _depth_in_ellipse(u: Field, v: Field) -> Field:
    """Return it to first order: the implicit function over the norm of its gradient."""
    u, v = u / np.float32(RADII[0]), v / np.float32(RADII[1])
    radius = np.sqrt(u**2 + v**2)
    slope = np.sqrt((u / np.float32(RADII[0])) ** 2 + (v / np.float32(RADII[1])) ** 2)
    return (1 - radius) * radius / np.maximum(slope, np.float32(1e-6))


def _depth_in_heart(u: Field, v: Field) -> Field:
    """Return it to first order: the radial distance times the cosine of the outline's slope."""
    angle = np.arctan2(np.abs(u), -v, dtype=np.float64)  # single precision differs between CPUs
    outline = np.interp(angle, _ANGLES, HEART)
    cosine = np.interp(angle, _ANGLES, _HEART_COSINES)
    return np.asarray((outline - np.sqrt(u**2 + v**2)) * cosine, np.float32)


_ANGLES = np.linspace(0, np.pi, len(HEART))
_HEART_COSINES = 1 / np.hypot(1, np.gradient(HEART, _ANGLES) / HEART)
_DEPTHS = {"square": _depth_in_square, "ellipse": _depth_in_ellipse, "heart": _depth_in_heart}
