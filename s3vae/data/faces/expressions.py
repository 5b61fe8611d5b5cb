"""Six facial expressions as muscle displacements and their course over time."""

import dataclasses
from dataclasses import dataclass
from typing import NamedTuple

from jaxtyping import Float
from numpy import ndarray

EXPRESSIONS = ("anger", "fear", "disgust", "happiness", "sadness", "surprise")


@dataclass(frozen=True)
class Muscles:
    """Displacements of a face in pixels of a 64-pixel picture; all 0 is the neutral face."""

    open: float = 0.0
    """Gap between the lips."""
    corners: float = 0.0
    """Rise of the corners of the mouth (negative: fall)."""
    stretch: float = 0.0
    """Outward displacement of each corner."""
    lids: float = 0.0
    """Opening of the eyes relative to rest, as a share (-1: shut)."""
    inner_brow: float = 0.0
    """Rise of the inner ends of the brows."""
    outer_brow: float = 0.0
    squeeze: float = 0.0
    """Displacement of each brow towards the nose."""
    wrinkle: float = 0.0
    """Rise of the wings of the nose and the upper lip."""
    jaw: float = 0.0
    """Drop of the chin."""

    def mixed(self, other: "Muscles", share: float) -> "Muscles":
        """Add a share of another face's displacements."""
        mine, theirs = dataclasses.astuple(self), dataclasses.astuple(other)
        return Muscles(*(a + share * b for a, b in zip(mine, theirs, strict=True)))


APEX = {
    "anger": Muscles(corners=-0.7, stretch=-0.7, lids=-0.2, inner_brow=-2.2, squeeze=1.3),
    "fear": Muscles(
        open=1.6, stretch=1.3, corners=-0.7, lids=0.5, inner_brow=2.0, outer_brow=0.5, jaw=1.0
    ),
    "disgust": Muscles(
        open=0.9, corners=-1.0, lids=-0.45, inner_brow=-1.3, outer_brow=-0.6, wrinkle=1.6
    ),
    "happiness": Muscles(open=1.7, corners=1.9, stretch=1.8, lids=-0.25, jaw=0.5),
    "sadness": Muscles(corners=-1.7, stretch=-0.3, lids=-0.35, inner_brow=1.7, outer_brow=-0.9),
    "surprise": Muscles(open=4.4, stretch=-1.0, lids=0.6, inner_brow=2.3, outer_brow=2.3, jaw=3.0),
}
"""Every expression at its apex (approximately Ekman and Friesen's action units)."""


class Course(NamedTuple):
    """The rise and fall of an expression, in frames, and its strength at the apex."""

    onset: float
    rise: float
    hold: float
    fall: float
    strength: float

    def at(self, frames: Float[ndarray, " time"]) -> Float[ndarray, " time"]:
        """Return the share of the expression: 0 before its onset, `strength` at its apex."""
        rising = smooth((frames - self.onset) / self.rise)
        falling = smooth((frames - self.onset - self.rise - self.hold) / self.fall)
        shares: ndarray = self.strength * rising * (1 - falling)
        return shares


def smooth(share: Float[ndarray, " time"]) -> Float[ndarray, " time"]:
    """Interpolate from 0 to 1 with zero slope at both ends."""
    inside = share.clip(0, 1)
    smoothed: ndarray = inside**2 * (3 - 2 * inside)
    return smoothed
