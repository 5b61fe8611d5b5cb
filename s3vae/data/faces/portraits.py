"""Rendering of faces, layer by layer around their landmarks."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from s3vae.data.faces.canvas import UNITS, Canvas, arc, curve, ellipse, tinted
from s3vae.data.faces.expressions import Muscles
from s3vae.data.faces.geometry import (
    BROW_LINE,
    CENTRE,
    EYE_LINE,
    Points,
    Pose,
    Traits,
    face_points,
)

SCALP = EYE_LINE - 19
DARK = (38.0, 34.0, 36.0)
HAIRLINES = {
    "short": ((0.6, 0.0), (0.84, -9.0), (0.0, -13.0), (-0.84, -9.0)),
    "fringe": ((0.6, 2.0), (0.86, -7.5), (0.0, -8.5), (-0.86, -7.5)),
    "parted": ((0.6, 0.0), (0.7, -8.0), (-0.3, -15.0), (-0.92, -5.0)),
    "long": ((0.6, 11.0), (0.82, -5.0), (0.1, -14.0), (-0.82, -5.0)),
    "receding": ((0.6, 0.0), (0.8, -12.0), (0.0, -16.5), (-0.8, -12.0)),
}
"""Points from right to left. The first is relative to the edge of the face, in pixels; the x of the
others is a share of the face's half width. All y are relative to the eyes."""


class Light(NamedTuple):
    """Direction (x, y; norm of about 1 at most) and brightness of the light."""

    x: float
    y: float
    brightness: float


def draw(
    traits: Traits, muscles: Muscles, pose: Pose, light: Light, size: int = UNITS
) -> Float32[ndarray, "size size 3"]:
    """Render a face of `size` pixels, 0 to 255 or somewhat brighter."""
    points = face_points(traits, muscles)
    canvas = Canvas(traits.backdrop, pose, size)
    _body(canvas, traits)
    _head(canvas, traits, points)
    _hair(canvas, traits)
    _eyes(canvas, traits, points)
    _nose(canvas, traits, points)
    _folds(canvas, traits, points, muscles)
    _mouth(canvas, traits, points, muscles)
    if traits.glasses:
        _glasses(canvas, traits)
    picture: ndarray = canvas.picture * _shade(traits, pose, light, size)
    return picture


def _shade(traits: Traits, pose: Pose, light: Light, size: int) -> Float32[ndarray, "size size 1"]:
    """Compute the brightness of each pixel, as of an ellipsoid under the light."""
    line = (np.arange(size, dtype=np.float32) + 0.5) * np.float32(UNITS / size) - 0.5
    x = (line[None] - CENTRE[0] - pose.x) / (1.7 * traits.width * pose.scale)
    y = (line[:, None] - CENTRE[1] - pose.y) / (1.7 * traits.chin * pose.scale)
    depth = np.sqrt((1 - x**2 - y**2).clip(0.05, None))
    slope = (light.x * x + light.y * y).clip(-1, 1)
    shade: ndarray = light.brightness * (0.6 + 0.42 * depth + 0.3 * slope)
    return shade[..., None].astype(np.float32)


def _body(canvas: Canvas, traits: Traits) -> None:
    """Paint what is behind the face: long hair, neck and clothes."""
    width = traits.width
    if traits.haircut == "long":
        canvas.fill(ellipse(0, -2, width + 5.5, 25), traits.hair, 0.5)
        falls = [[-width - 5, 0], [width + 5, 0], [width + 4, 34], [-width - 4, 34]]
        canvas.fill(np.array(falls), traits.hair, 0.5)
    neck = [[-0.55 * width, 10], [0.55 * width, 10], [0.62 * width, 40], [-0.62 * width, 40]]
    canvas.fill(np.array(neck), tinted(traits.skin, 0.72), 0.5)
    clothes = [[-34, 34], [-11, 28], [11, 28], [34, 34], [34, 50], [-34, 50]]
    canvas.fill(np.array(clothes, float), tinted(traits.iris, 0.8), 0.4)


def _head(canvas: Canvas, traits: Traits, points: Points) -> None:
    width, skin = traits.width, traits.skin
    for side in (-1, 1):
        canvas.fill(ellipse(side * (width + 0.4), EYE_LINE + 4, 2.2, 4.2), tinted(skin, 0.85))
    skull = arc(0, EYE_LINE + 1, width, EYE_LINE + 1 - SCALP, 1, 2)
    canvas.fill(np.concatenate([curve(points[:17])[::-1], skull]), skin)
    for side in (-1, 1):
        canvas.fill(ellipse(side * 0.58 * width, 6, 4, 3.2), (225, 110, 95), 2.0, 0.35)
    if traits.beard:
        jaw = points[3:14]
        inside = jaw * 0.72 + np.array([0, 4.6])
        beard = np.concatenate([jaw, inside[::-1]])
        canvas.fill(beard, tinted(traits.hair, 0.9), 0.8, 0.85)


def _hair(canvas: Canvas, traits: Traits) -> None:
    if traits.haircut == "bald":
        return
    width, hair = traits.width, traits.hair
    cap = arc(0, EYE_LINE - 1, width + 1.6, EYE_LINE + 1.5 - SCALP, 1, 2)
    (beside, end), *across = HAIRLINES[traits.haircut]
    edge = [(width + beside, end), *((x * width, y) for x, y in across), (-width - beside, end)]
    line = curve(np.array(edge) + np.array([0, EYE_LINE]))
    canvas.fill(np.concatenate([cap, line]), hair, 0.35)
    gloss = arc(-2, EYE_LINE, 0.7 * width, 18.5, 1.2, 1.6)
    canvas.line(gloss, tinted(hair, 1.35), 1.2, 0.8, 0.5)


def _eyes(canvas: Canvas, traits: Traits, points: Points) -> None:
    skin, eye = traits.skin, traits.eye
    for side, corner, brow in ((-1, 36, 17), (1, 42, 22)):
        x, lids = side * traits.eyes_apart, points[corner : corner + 6]
        upper, lower = curve(lids[:4]), curve(lids[[3, 4, 5, 0]])
        canvas.fill(ellipse(x, EYE_LINE, eye + 1.6, 3.4), tinted(skin, 0.75), 1.2, 0.5)
        canvas.fill(np.concatenate([upper, lower]), (238, 236, 232))
        for size, colour in ((0.44, traits.iris), (0.2, (12.0, 12.0, 14.0))):
            disc = ellipse(x, EYE_LINE, size * eye, size * eye)
            canvas.fill(_between(disc, upper, lower), colour)
        canvas.line(upper, tinted(skin, 0.22), 0.7)
        canvas.line(lower, tinted(skin, 0.55), 0.35, share=0.7)
        canvas.line(curve(points[brow : brow + 5]), tinted(traits.hair, 0.7), traits.brow)


def _between(points: Points, upper: Points, lower: Points) -> Points:
    """Clip points to lie between the upper and the lower lid."""
    x = points[:, 0]
    highest = np.interp(x, upper[:, 0], upper[:, 1])
    lowest = np.interp(x, lower[::-1, 0], lower[::-1, 1])
    return np.stack([x, points[:, 1].clip(highest, lowest)], axis=1)


def _nose(canvas: Canvas, traits: Traits, points: Points) -> None:
    dark = tinted(traits.skin, 0.62)
    away = np.array([[-1.2, 0], [-1.4, 0], [-1.7, 0], [0, 0]])
    canvas.line(curve(points[[27, 28, 29, 31]] + away), dark, 1.1, 0.8, 0.45)
    canvas.line(points[27:31] + np.array([0.5, 0]), tinted(traits.skin, 1.3), 1.1, 0.8, 0.5)
    canvas.line(curve(points[31:36] + np.array([0, 0.4])), dark, 0.8, 0.35, 0.8)
    for side in (-0.5, 0.5):
        hole = ellipse(side * traits.nose, points[33, 1] - 0.3, 0.55, 0.4)
        canvas.fill(hole, (40, 22, 20), share=0.8)


def _folds(canvas: Canvas, traits: Traits, points: Points, muscles: Muscles) -> None:
    """Paint folds from the nose to the corners of the mouth, and between the brows."""
    dark = tinted(traits.skin, 0.62)
    share = 0.25 + 0.3 * min(max(muscles.wrinkle, muscles.corners, 0.0) / 1.8, 1.0)
    for wing, corner in ((31, 48), (35, 54)):
        away = np.array([[0.5, 0], [1, -0.6], [1, 0.4]]) * (1.7 * np.sign(points[corner, 0]), 1)
        ends = points[[wing, corner]]
        fold = np.stack([ends[0], ends.mean(axis=0), ends[1]]) + away
        canvas.line(curve(fold), dark, 0.7, 0.6, share)
    frown = min(0.35 * (muscles.squeeze + muscles.wrinkle), 0.6)
    if frown > 0:
        for x in (-0.9, 0.9):
            line = np.array([[x, BROW_LINE - 0.5], [0.8 * x, EYE_LINE - 1.5]])
            canvas.line(line, dark, 0.6, 0.4, frown)


def _mouth(canvas: Canvas, traits: Traits, points: Points, muscles: Muscles) -> None:
    lips, (outer, inner) = traits.lips, (points[48:60], points[60:68])
    left, right = outer[:1], outer[6:7]
    top = curve(np.concatenate([left, inner[:5], right]))
    bottom = curve(np.concatenate([right, inner[[4, 5, 6, 7, 0]], left]))
    under = curve(outer[7:12] + np.array([0, 1.6]))
    canvas.line(under, tinted(traits.skin, 0.7), 0.9, 0.8, 0.5)
    canvas.fill(np.concatenate([top, bottom]), (52, 14, 18))
    is_open = muscles.open > 0.8
    if is_open:
        edge = inner[3:0:-1] + np.array([0, 0.45 * min(muscles.open, 2.6)])
        canvas.fill(np.concatenate([inner[1:4], edge]), (232, 228, 220))
    lower = np.concatenate([curve(outer[[6, 7, 8, 9, 10, 11, 0]]), bottom[::-1]])
    upper = np.concatenate([curve(outer[:7]), top[::-1]])
    canvas.fill(lower, tinted(lips, 1.06))
    canvas.fill(upper, tinted(lips, 0.88))
    if not is_open:
        canvas.line((top + bottom[::-1]) / 2, tinted(lips, 0.45), 0.5, share=0.8)


def _glasses(canvas: Canvas, traits: Traits) -> None:
    rim = traits.eye + 1.7
    for side in (-1, 1):
        x = side * traits.eyes_apart
        canvas.line(ellipse(x, EYE_LINE + 0.4, rim, 4.6), DARK, 0.7)
        arm = [[x + side * rim, EYE_LINE - 0.6], [side * traits.width, EYE_LINE]]
        canvas.line(np.array(arm), DARK, 0.7)
    gap = traits.eyes_apart - rim
    bridge = [[-gap, EYE_LINE], [0, EYE_LINE - 0.7], [gap, EYE_LINE]]
    canvas.line(np.array(bridge), DARK, 0.7)
