"""The geometry of a drawn face: 68 landmarks from traits, expression and pose.

Lengths are in pixels of a 64-pixel picture, at any size; x points right, y down. Landmarks are in
the order of iBUG's 300-W: jaw 0-16, brows 17-26, nose 27-35, eyes 36-47, mouth 48-67.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from s3vae.data.faces.expressions import Muscles

CENTRE = (32.0, 31.0)
Points = Float[ndarray, "_ 2"]
Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Traits:
    """The appearance of a person."""

    skin: Colour
    hair: Colour
    iris: Colour
    lips: Colour
    backdrop: Colour
    haircut: str
    width: float
    """Half the width of the face at the eyes."""
    chin: float
    """Distance from the middle of the face to the chin."""
    square: float
    """Squareness of the jaw (0 to 1)."""
    eyes_apart: float
    """Half the distance between the pupils."""
    eye: float
    """Half the width of an eye."""
    brow: float
    """Thickness of the brows."""
    nose: float
    """Half the width of the nose."""
    mouth: float
    """Half the width of the mouth."""
    lip: float
    """Thickness of a lip."""
    beard: bool
    glasses: bool


class Pose(NamedTuple):
    """The pose of a head: translation (x, y) in pixels, roll in radians, and scale."""

    x: float = 0.0
    y: float = 0.0
    roll: float = 0.0
    scale: float = 1.0

    def placed(self, points: Points) -> Points:
        """Map points of a face around (0, 0) to the picture."""
        cos, sin = np.cos(self.roll), np.sin(self.roll)
        turned = self.scale * points @ np.array([[cos, sin], [-sin, cos]])
        placed: ndarray = turned + np.array(CENTRE) + np.array([self.x, self.y])
        return placed


EYE_LINE, BROW_LINE, NOSE_TIP, MOUTH_LINE = -5.0, -10.5, 6.0, 13.0
LID = 0.42
"""Height of an eye at rest over its width."""


def face_points(traits: Traits, muscles: Muscles) -> Float[ndarray, "68 2"]:
    """Return the landmarks of an upright face around (0, 0)."""
    parts = (_jaw, _brows, _nose, _eyes, _mouth)
    return np.concatenate([part(traits, muscles) for part in parts])


def _jaw(traits: Traits, muscles: Muscles) -> Points:
    """Return 17 points from one temple around the chin to the other."""
    angle = np.linspace(np.pi, 0, 17)
    power = 1 - 0.45 * traits.square
    across = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** power
    down = np.sin(angle) ** (1 - 0.15 * traits.square)
    height = traits.chin + muscles.jaw
    return np.stack([traits.width * across, EYE_LINE + 1 + (height - EYE_LINE - 1) * down], axis=1)


def _brows(traits: Traits, muscles: Muscles) -> Points:
    """Return five points for each brow, from left to right."""
    share = np.linspace(0, 1, 5)  # from the outer end to the inner
    outer, inner = traits.eyes_apart + traits.eye + 1.2, traits.eyes_apart - traits.eye + 0.6
    x = outer + (inner - muscles.squeeze - outer) * share
    arch = 1.6 * np.sin(np.pi * share) * (1 - share / 2)
    raised = muscles.outer_brow * (1 - share) + muscles.inner_brow * share**1.5
    y = BROW_LINE + 0.8 * (1 - share) - arch - raised
    left = np.stack([-x, y], axis=1)
    right = (left * (-1, 1))[::-1]
    return np.concatenate([left, right])


def _nose(traits: Traits, muscles: Muscles) -> Points:
    """Return four points down the bridge and five along the wings."""
    bridge = np.stack([np.zeros(4), np.linspace(EYE_LINE + 0.5, NOSE_TIP - 2, 4)], axis=1)
    x = traits.nose * np.array([-1, -0.5, 0, 0.5, 1])
    y = NOSE_TIP + np.array([0, 0.7, 1, 0.7, 0]) - muscles.wrinkle * np.array([1, 0.5, 0.2, 0.5, 1])
    return np.concatenate([bridge, np.stack([x, y], axis=1)])


def _eyes(traits: Traits, muscles: Muscles) -> Points:
    """Return six points for each eye: corner, two of the upper lid, corner, two of the lower."""
    gap = traits.eye * LID * max(1 + muscles.lids, 0.06)
    x = np.array([-1, -0.45, 0.45, 1, 0.45, -0.45]) * traits.eye
    y = np.array([0, -1.15, -1.15, 0, 0.85, 0.85]) * gap
    return np.concatenate(
        [np.stack([x + side * traits.eyes_apart, y + EYE_LINE], axis=1) for side in (-1, 1)]
    )


def _mouth(traits: Traits, muscles: Muscles) -> Points:
    """Return 12 points around the lips and 8 around their gap, each from the left corner."""
    half = traits.mouth + muscles.stretch
    line = MOUTH_LINE - 0.3 * muscles.wrinkle
    corner = line - muscles.corners
    share = np.array([-1, -0.62, -0.26, 0, 0.26, 0.62, 1])
    arch = 1 - share**2
    bend = corner + (line - corner) * arch  # where the lips meet
    upper = muscles.wrinkle + 0.3 * muscles.open
    lower = 0.7 * muscles.open
    thick = traits.lip * np.array([0, 0.8, 1.0, 0.85, 1.0, 0.8, 0])
    above = bend - arch * upper - thick
    below = bend + arch * lower + 1.15 * traits.lip * arch
    outer = np.concatenate(
        [np.stack([half * share, above], 1), np.stack([half * share, below], 1)[-2:0:-1]]
    )
    few = np.array([-0.85, -0.4, 0, 0.4, 0.85])
    gap = 1 - (few / 0.85) ** 2
    meet = corner + (line - corner) * (1 - few**2)
    top = np.stack([half * few, meet - gap * upper * 0.9], 1)
    bottom = np.stack([half * few, meet + gap * lower * 0.95], 1)
    return np.concatenate([outer, top, bottom[-2:0:-1]])
