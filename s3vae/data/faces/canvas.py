"""A canvas for drawn faces: polygons and lines of any width, anti-aliased, with soft edges."""

import cv2
import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from s3vae.data.faces.geometry import Colour, Points, Pose

UNITS = 64
"""All lengths and coordinates are in units of 1/64 of a picture's side, so they are pixels of the
default size."""
FINE = 3
"""Factor of supersampling."""
FINEST = 0.3
"""Blurs up to this standard deviation, in pixels, are omitted: supersampling has this effect."""
SUBPIXEL = 4
"""Fractional bits of the coordinates passed to OpenCV."""
REACH = 3
"""Standard deviations after which a blur is invisible."""
Part = tuple[slice, slice]


class Canvas:
    """A square picture of `size` pixels, painted in face coordinates, which the pose places."""

    def __init__(self, colour: Colour, pose: Pose, size: int = UNITS) -> None:
        self.pose, self.size = pose, size
        self.pixels = size / UNITS
        """Per unit of length."""
        self.fine = np.full((size * FINE, size * FINE, 3), colour, np.float32)

    @property
    def picture(self) -> Float32[ndarray, "size size 3"]:
        """The painted picture, 0 to 255."""
        return cv2.resize(self.fine, (self.size, self.size), interpolation=cv2.INTER_AREA)

    def fill(self, points: Points, colour: Colour, soft: float = 0.0, share: float = 1.0) -> None:
        """Fill a polygon; `soft` is the blur of its edge, `share` its opacity."""
        part, fixed = self._part(points, soft)
        mask: ndarray = np.zeros([each.stop - each.start for each in part], np.uint8)
        cv2.fillPoly(mask, [fixed], (255,), cv2.LINE_AA, SUBPIXEL)
        if (blur := soft * self.pixels) > FINEST:
            mask = cv2.GaussianBlur(mask, (0, 0), blur * FINE, borderType=cv2.BORDER_REPLICATE)
        alpha = (mask.astype(np.float32) * np.float32(share / 255))[..., None]
        self.fine[part] += alpha * (np.array(colour, np.float32) - self.fine[part])

    def line(
        self, points: Points, colour: Colour, width: float, soft: float = 0.0, share: float = 1.0
    ) -> None:
        """Draw a line as a polygon, since OpenCV's lines have integer width."""
        along = np.gradient(points, axis=0)
        along *= width / 2 / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
        across = np.stack([-along[:, 1], along[:, 0]], axis=1)
        self.fill(np.concatenate([points + across, (points - across)[::-1]]), colour, soft, share)

    def _part(self, points: Points, soft: float) -> tuple[Part, ndarray]:
        """Return the painted rows and columns, and the points in them in OpenCV's fixed point.

        Integer coordinates are pixel centres.
        """
        scale, last_pixel = FINE * self.pixels, FINE * self.size - 1
        fine = (self.pose.placed(points) + 0.5) * scale - 0.5
        border = REACH * scale * soft + 2
        first = np.floor(fine.min(axis=0) - border).astype(int).clip(0, last_pixel)
        last = np.ceil(fine.max(axis=0) + border).astype(int).clip(first, last_pixel)
        part = slice(first[1], last[1] + 1), slice(first[0], last[0] + 1)
        return part, np.rint((fine - first) * 2**SUBPIXEL).astype(np.int32)


def ellipse(x: float, y: float, width: float, height: float) -> Points:
    """Return points on an ellipse with these half axes."""
    return arc(x, y, width, height, 0, 2)


def arc(x: float, y: float, width: float, height: float, start: float, stop: float) -> Points:
    """Return points of an ellipse between two angles (in half turns, clockwise from the right)."""
    angle = np.pi * np.linspace(start, stop, 40)
    return np.stack([x + width * np.cos(angle), y + height * np.sin(angle)], axis=1)


def curve(points: Points) -> Points:
    """Return a smooth line through points (Catmull and Rom)."""
    ends = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    share = np.linspace(0, 1, 6)[:-1, None]
    before, here, there, after = (ends[k : len(ends) - 3 + k, None] for k in range(4))
    along = here + share * (there - before) / 2
    along = along + share**2 * (before - 2.5 * here + 2 * there - after / 2)
    along = along + share**3 * (1.5 * (here - there) + (after - before) / 2)
    return np.concatenate([along.reshape(-1, 2), points[-1:]])


def tinted(colour: Colour, factor: float) -> Colour:
    """Scale the brightness of a colour."""
    red, green, blue = (min(channel * factor, 255.0) for channel in colour)
    return red, green, blue
