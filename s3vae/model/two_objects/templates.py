"""Templates of two objects on black from their tracks, and tracks from their templates.

Intensities of overlapping objects add up. The minimum over time of the pixels in an object's window
is therefore the object alone, once its window is right in all frames.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import avg_pool2d

from s3vae.model.two_objects.windows import (
    REACH,
    SIDE,
    Canvas,
    Corners,
    Tracks,
    Windows,
    clamp_corners,
    crop,
    paste,
    subtract,
)

QUANTILES = (0.5, 0.4, 0.3, 0.2, 0.1, 0.0)
"""The quantile over time that templates are made of, in each round of refinement.

The median is robust to wrong windows; the minimum is free of the other object.
"""
EXPLAINED = 0.1
"""Sum of squares per frame (intensities in [0, 1]) up to which a clip counts as explained."""
SHIFTS = 2 * REACH + 1
SHIFT_PENALTY = 1e-3
"""Added to the sum of squares, per squared pixel of a shift: it only decides between ties."""

Canvases = Float[Tensor, "clip time height width"]
"""The frames of every clip, with their margin."""
Frames = Float[Tensor, "frame height width"]
"""The frames of all clips, with their margin."""
ObjectCorners = tuple[Int[Tensor, "frame 2"], Int[Tensor, "frame 2"]]
"""The corner of each object's window in every frame of all clips."""
Templates = tuple[Float[Tensor, "frame side side"], Float[Tensor, "frame side side"]]
"""The appearance of each object, for every frame of all clips."""


class Tracking(NamedTuple):
    """Tracks, and the squares that both objects leave unexplained, per frame."""

    tracks: Tracks
    residual: Float[Tensor, " clip"]


def refine(canvas: Canvases, tracks: Tracks) -> Tracking:
    """Alternate between estimating templates and fitting tracks; return the best tracks.

    Clips that are explained already are left as they are.
    """
    best, tracks = Tracking(tracks.clone(), residual(canvas, tracks)), tracks.clone()
    for quantile in QUANTILES:
        rows = (best.residual > EXPLAINED).nonzero()[:, 0]
        if not len(rows):
            break
        tracks[rows] = refit(canvas[rows], tracks[rows], quantile)
        keep_better(best, rows, Tracking(tracks[rows], residual(canvas[rows], tracks[rows])))
    return best


def keep_better(best: Tracking, rows: Int[Tensor, " some"], candidate: Tracking) -> None:
    """Overwrite the rows of `best` whose residual the candidate lowers."""
    better = candidate.residual < best.residual[rows]
    best.tracks[rows[better]] = candidate.tracks[better]
    best.residual[rows[better]] = candidate.residual[better]


def residual(canvas: Canvases, tracks: Tracks) -> Float[Tensor, " clip"]:
    """Return the sum of squares that the objects on these tracks leave, a mean over frames."""
    frames = canvas.flatten(0, 1)
    templates = estimate_templates(frames, tracks, QUANTILES[-1])
    errors = squared_errors(frames, templates, unbind(tracks))
    return errors.reshape(tracks.shape[:2]).mean(dim=1)


def refit(canvas: Canvases, tracks: Tracks, quantile: float) -> Tracks:
    """Fit tracks to templates of that quantile, from the tracks and from their extrapolations.

    Each frame keeps the corners of least error.
    """
    frames = canvas.flatten(0, 1)
    templates = estimate_templates(frames, tracks, quantile)
    best, errors = fit(frames, templates, tracks)
    for guess in extrapolate(best, canvas.shape[-1]):
        others, others_errors = fit(frames, templates, guess)
        nearer = others_errors < errors
        best = torch.where(nearer[..., None, None], others, best)
        errors = torch.where(nearer, others_errors, errors)
    return best


def unbind(tracks: Tracks) -> ObjectCorners:
    """Split tracks into the corners of the one object in all frames, and of the other."""
    one, other = tracks.flatten(0, 1).unbind(dim=1)
    return one, other


def estimate_templates(frames: Frames, tracks: Tracks, quantile: float) -> Templates:
    """Return a quantile over time of each object's windows: the minimum at 0, the median at .5."""
    clips, time = tracks.shape[:2]

    def template(corners: Corners) -> Windows:
        windows = crop(frames, corners).reshape(clips, time, SIDE, SIDE)
        ranked: Tensor = windows.kthvalue(int(quantile * (time - 1)) + 1, dim=1).values
        return ranked.repeat_interleave(time, dim=0)

    one, other = unbind(tracks)
    return template(one), template(other)


def fit(
    frames: Frames, templates: Templates, tracks: Tracks
) -> tuple[Tracks, Float[Tensor, "clip time"]]:
    """Match both templates around the tracks, one after the other; return tracks and errors."""
    one, other = unbind(tracks)
    one = match_template(subtract(frames, templates[1], other), templates[0], one)
    other = match_template(subtract(frames, templates[0], one), templates[1], other)
    errors = squared_errors(frames, templates, (one, other)).reshape(tracks.shape[:2])
    return torch.stack([one, other], dim=1).reshape(tracks.shape), errors


def squared_errors(
    frames: Frames, templates: Templates, corners: ObjectCorners
) -> Float[Tensor, " frame"]:
    """Return the sum of squares between each frame and both objects on black."""
    size = frames.shape[-1]
    one, other = (paste(each, at, size) for each, at in zip(templates, corners, strict=True))
    return (frames - (one + other).clamp(max=1)).square().sum(dim=(1, 2))


def extrapolate(tracks: Tracks, size: int) -> tuple[Tracks, Tracks, Tracks]:
    """Predict each frame's corners from the two frames before, the two after, or both neighbours.

    Motion is taken to be uniform; `size` is that of the canvas.
    """
    before = torch.cat([tracks[:, :1], tracks[:, :-1]], dim=1)
    after = torch.cat([tracks[:, 1:], tracks[:, -1:]], dim=1)
    before_that = torch.cat([before[:, :1], before[:, :-1]], dim=1)
    after_that = torch.cat([after[:, 1:], after[:, -1:]], dim=1)
    return (
        clamp_corners(2 * before - before_that, size),
        clamp_corners(2 * after - after_that, size),
        (before + after) // 2,
    )


def match_template(frames: Canvas, templates: Windows, corners: Corners) -> Corners:
    """Find the least-squares position of a template among all whole-pixel shifts within `REACH`.

    Of shifts that fit equally the shortest is chosen, so an invisible object stays where it was.
    """
    area = crop(frames, corners - REACH, SIDE + 2 * REACH)
    # each row of the template at each horizontal shift, so that all shifts are one matrix product
    shifted = torch.zeros(len(templates), SIDE, SIDE + 2 * REACH, SHIFTS, device=templates.device)
    for shift in range(SHIFTS):
        shifted[:, :, shift : shift + SIDE, shift] = templates
    rows = area.unfold(1, SIDE, 1).transpose(2, 3).flatten(2)
    correlation = rows @ shifted.flatten(1, 2)
    energy = avg_pool2d(area.square()[:, None], SIDE, 1)[:, 0] * SIDE**2
    line = torch.arange(-REACH, REACH + 1, device=templates.device).square()
    penalty = SHIFT_PENALTY * (line[:, None] + line)
    best = (energy - 2 * correlation + penalty).flatten(1).argmin(dim=1)
    shifts = torch.stack([best // SHIFTS, best % SHIFTS], dim=1) - REACH
    return clamp_corners(corners + shifts, frames.shape[-1])
