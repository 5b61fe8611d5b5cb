"""Six facial expressions as curves over time: which muscles move, how far, and when."""

import dataclasses
from dataclasses import dataclass
from typing import NamedTuple

from jaxtyping import Float
from numpy import ndarray

EXPRESSIONS = ("anger", "fear", "disgust", "happiness", "sadness", "surprise")


@dataclass(frozen=True)
class Muscles:
    """What a face does, in pixels of a 64-pixel picture unless said; all 0 is the neutral face."""

    open: float = 0.0
    """Gap between the lips."""
    corners: float = 0.0
    """How far the corners of the mouth are pulled up (negative: down)."""
    stretch: float = 0.0
    """How far each corner is pulled outwards."""
    lids: float = 0.0
    """How much wider the eyes are open than at rest, as a share of it (-1: shut)."""
    inner_brow: float = 0.0
    """How far the inner ends of the brows are raised."""
    outer_brow: float = 0.0
    squeeze: float = 0.0
    """How far each brow is drawn towards the nose."""
    wrinkle: float = 0.0
    """How far the wings of the nose and the upper lip are pulled up."""
    jaw: float = 0.0
    """How far the chin drops."""

    def mixed(self, other: "Muscles", share: float) -> "Muscles":
        """What this and a share of another face do together."""
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
"""Every expression at its height (Ekman and Friesen's action units, roughly)."""


class Course(NamedTuple):
    """When an expression rises and falls, in frames, and how strong it gets."""

    onset: float
    rise: float
    hold: float
    fall: float
    strength: float

    def at(self, frames: Float[ndarray, " time"]) -> Float[ndarray, " time"]:
        """How much of the expression is there: 0 before its onset, `strength` at its height."""
        rising = smooth((frames - self.onset) / self.rise)
        falling = smooth((frames - self.onset - self.rise - self.hold) / self.fall)
        shares: ndarray = self.strength * rising * (1 - falling)
        return shares


def smooth(share: Float[ndarray, " time"]) -> Float[ndarray, " time"]:
    """From 0 to 1 without a jolt at either end."""
    inside = share.clip(0, 1)
    smoothed: ndarray = inside**2 * (3 - 2 * inside)
    return smoothed
