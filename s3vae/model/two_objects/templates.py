"""What two objects on black look like, by where they are in a clip; where they are, by their looks.

Light adds up: the darkest that a pixel of an object's window ever was is the object alone, once
its window is right in all frames.
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
    placed,
    remainder,
    windows,
    within,
)

DARKEST = (0.5, 0.4, 0.3, 0.2, 0.1, 0.0)
"""In which place, of a window's values over the frames, a pixel of a template is, round by round.

From the median, which wrong windows do not spoil, to the darkest, which the other object does not.
"""
GOOD = 0.1
"""Sum of squares per frame (intensities in [0, 1]) below which a clip counts as explained."""
MOVES = 2 * REACH + 1
TIE = 1e-3
"""Sum of squares that a move costs per square of its length, where nothing else decides."""

Places = tuple[Int[Tensor, "frame 2"], Int[Tensor, "frame 2"]]
"""The corner of each object's window in every frame of all clips."""
Templates = tuple[Float[Tensor, "frame side side"], Float[Tensor, "frame side side"]]
"""For every frame of all clips what each object looks like."""


class Followed(NamedTuple):
    """Tracks, and what both objects leave unexplained: a sum of squares per frame."""

    tracks: Tracks
    unexplained: Float[Tensor, " clip"]


def settled(canvas: Float[Tensor, "clip time height width"], tracks: Tracks) -> Followed:
    """Templates from the whole clip and tracks by these templates, in turn: the best of them.

    What is explained is left as it is.
    """
    best, tracks = Followed(tracks.clone(), unexplained(canvas, tracks)), tracks.clone()
    for share in DARKEST:
        rows = (best.unexplained > GOOD).nonzero()[:, 0]
        if not len(rows):
            break
        tracks[rows] = refitted(canvas[rows], tracks[rows], share)
        keep_better(best, rows, Followed(tracks[rows], unexplained(canvas[rows], tracks[rows])))
    return best


def keep_better(best: Followed, rows: Int[Tensor, " some"], found: Followed) -> None:
    """Put what was found for these clips in place of what explains them less."""
    better = found.unexplained < best.unexplained[rows]
    best.tracks[rows[better]] = found.tracks[better]
    best.unexplained[rows[better]] = found.unexplained[better]


def unexplained(
    canvas: Float[Tensor, "clip time height width"], tracks: Tracks
) -> Float[Tensor, " clip"]:
    """What is left of a frame, on average, if windows are right."""
    frames = canvas.flatten(0, 1)
    seen = templates_of(frames, tracks, DARKEST[-1])
    return errors_of(frames, seen, parted(tracks)).reshape(tracks.shape[:2]).mean(dim=1)


def refitted(
    canvas: Float[Tensor, "clip time height width"], tracks: Tracks, share: float
) -> Tracks:
    """Tracks by templates of that share; frame by frame the best of what is looked for around."""
    frames = canvas.flatten(0, 1)
    seen = templates_of(frames, tracks, share)
    found, errors = fitted(frames, seen, tracks)
    for guess in passing(found, canvas.shape[-1]):
        others, others_errors = fitted(frames, seen, guess)
        nearer = others_errors < errors
        found = torch.where(nearer[..., None, None], others, found)
        errors = torch.where(nearer, others_errors, errors)
    return found


def parted(tracks: Tracks) -> Places:
    """The corners of the one object in all frames, and of the other."""
    one, other = tracks.flatten(0, 1).unbind(dim=1)
    return one, other


def templates_of(
    frames: Float[Tensor, "frame height width"], tracks: Tracks, share: float
) -> Templates:
    """For every frame what each object looks like in its clip: dark pixels of its windows.

    The darkest where `share` is 0, the median where it is 0.5.
    """
    clips, time = tracks.shape[:2]

    def template(corners: Corners) -> Windows:
        seen = windows(frames, corners).reshape(clips, time, SIDE, SIDE)
        ranked: Tensor = seen.kthvalue(int(share * (time - 1)) + 1, dim=1).values
        return ranked.repeat_interleave(time, dim=0)

    one, other = parted(tracks)
    return template(one), template(other)


def fitted(
    frames: Float[Tensor, "frame height width"], seen: Templates, tracks: Tracks
) -> tuple[Tracks, Float[Tensor, "clip time"]]:
    """Each object looked for around these places, in turn, and the squares left of every frame."""
    one, other = parted(tracks)
    one = looked_for(remainder(frames, seen[1], other), seen[0], one)
    other = looked_for(remainder(frames, seen[0], one), seen[1], other)
    errors = errors_of(frames, seen, (one, other)).reshape(tracks.shape[:2])
    return torch.stack([one, other], dim=1).reshape(tracks.shape), errors


def errors_of(
    frames: Float[Tensor, "frame height width"],
    seen: Templates,
    corners: Places,
) -> Float[Tensor, " frame"]:
    """The sum of squares that both objects leave of each frame."""
    size = frames.shape[-1]
    one, other = (placed(each, at, size) for each, at in zip(seen, corners, strict=True))
    return (frames - (one + other).clamp(max=1)).square().sum(dim=(1, 2))


def passing(tracks: Tracks, size: int) -> tuple[Tracks, Tracks, Tracks]:
    """Where the objects would be if they came straight from before, go straight on, or both."""
    before = torch.cat([tracks[:, :1], tracks[:, :-1]], dim=1)
    after = torch.cat([tracks[:, 1:], tracks[:, -1:]], dim=1)
    before_that = torch.cat([before[:, :1], before[:, :-1]], dim=1)
    after_that = torch.cat([after[:, 1:], after[:, -1:]], dim=1)
    return (
        within(2 * before - before_that, size),
        within(2 * after - after_that, size),
        (before + after) // 2,
    )


def looked_for(frames: Canvas, seen: Windows, corners: Corners) -> Corners:
    """Where around its last corner an object fits best: least squares over all whole moves.

    Of moves that fit alike the shortest: what is not seen stays where it was.
    """
    around = windows(frames, corners - REACH, SIDE + 2 * REACH)
    # each row of the template at each sidewards move, so that all moves are one matrix product
    moved = torch.zeros(len(seen), SIDE, SIDE + 2 * REACH, MOVES, device=seen.device)
    for move in range(MOVES):
        moved[:, :, move : move + SIDE, move] = seen
    rows = around.unfold(1, SIDE, 1).transpose(2, 3).flatten(2)
    match = rows @ moved.flatten(1, 2)
    light = avg_pool2d(around.square()[:, None], SIDE, 1)[:, 0] * SIDE**2
    line = torch.arange(-REACH, REACH + 1, device=seen.device).square()
    shortest = TIE * (line[:, None] + line)
    best = (light - 2 * match + shortest).flatten(1).argmin(dim=1)
    moves = torch.stack([best // MOVES, best % MOVES], dim=1) - REACH
    return within(corners + moves, frames.shape[-1])
