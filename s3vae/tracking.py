"""Two bright objects on black, followed through a clip: where each of them is, without any label.

No network: in the frame where they are furthest apart two means part the light into two, each part
is a template, and templates are looked for from frame to frame, in what the other leaves of it.
Light adds up: the darkest that a pixel of an object's window ever was is the object alone, once
its window is right in all frames.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int, UInt8
from numpy import ndarray
from torch import Tensor
from torch.nn.functional import avg_pool2d

from s3vae.windows import (
    MARGIN,
    REACH,
    SIDE,
    Canvas,
    Corners,
    Tracks,
    Windows,
    placed,
    remainder,
    windows,
    with_margin,
    within,
)

STARTS, MEANS_ROUNDS = 4, 6
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
Brightness = Float[Tensor, "clip time height width"]


class Followed(NamedTuple):
    """Tracks, and what both objects leave unexplained: a sum of squares per frame."""

    tracks: Tracks
    unexplained: Float[Tensor, " clip"]


def brightness(video: Float[Tensor, "clip time channel height width"]) -> Brightness:
    """What objects are followed by: the mean over channels."""
    return video.mean(dim=2)


@torch.no_grad()
def follow_two(video: Brightness) -> Followed:
    """The two objects of every clip, from the start that explains it best.

    Clips that are not explained are followed again from another frame, up to `STARTS` times in all.
    The first object is the lower one, or the right one, of the frame from which they are followed.
    """
    centres, apart = two_means(video)
    canvas = with_margin(video)
    clips, time = video.shape[:2]
    best = Followed(
        torch.zeros(clips, time, 2, 2, dtype=torch.long, device=video.device),
        torch.full((clips,), torch.inf, device=video.device),
    )
    frames = torch.arange(time, device=video.device)
    for _ in range(STARTS):
        rows = (best.unexplained > GOOD).nonzero()[:, 0]
        if not len(rows):
            break
        start = apart[rows].argmax(dim=1)
        near = (frames - start[:, None]).abs() <= 2
        apart[rows] = apart[rows].masked_fill(near, -1)
        found = from_start(canvas[rows], start, centres[rows, start])
        better = found.unexplained < best.unexplained[rows]
        best.tracks[rows[better]] = found.tracks[better] - MARGIN
        best.unexplained[rows[better]] = found.unexplained[better]
    return best


def follow_stored(frames: UInt8[ndarray, "clip time height width channel"]) -> Followed:
    """The same for clips as they are stored, channel last."""
    return follow_two(brightness(torch.from_numpy(frames).permute(0, 1, 4, 2, 3).float() / 255))


def from_start(
    canvas: Float[Tensor, "clip time height width"],
    start: Int[Tensor, " clip"],
    centres: Float[Tensor, "clip 2 2"],
) -> Followed:
    """Both objects followed from one frame of each clip, forwards and backwards, then settled."""
    rows = torch.arange(len(canvas), device=canvas.device)
    corners = (centres - (SIDE - 1) / 2).round().long() + MARGIN
    corners = within(corners, canvas.shape[-1])
    line = torch.arange(canvas.shape[-1], device=canvas.device) - MARGIN
    towards = centres[:, 1] - centres[:, 0]
    middle = centres.mean(dim=1)
    sides = (line[:, None] - middle[:, :1, None]) * towards[:, :1, None] + (
        line - middle[:, 1:, None]
    ) * towards[:, 1:, None]
    first = canvas[rows, start]
    templates = [
        windows(first * part, corners[:, k]) for k, part in enumerate((sides < 0, sides >= 0))
    ]
    return settled(canvas, followed(canvas, start, corners, templates))


def followed(
    canvas: Float[Tensor, "clip time height width"],
    start: Int[Tensor, " clip"],
    corners: Int[Tensor, "clip 2 2"],
    templates: list[Windows],
) -> Tracks:
    """From frame to frame away from the start; templates become the means of what was found."""
    clips, time = canvas.shape[:2]
    tracks = torch.zeros(clips, time, 2, 2, dtype=torch.long, device=canvas.device)
    row = torch.arange(clips, device=canvas.device)
    tracks[row, start] = corners
    # both directions side by side
    row, start, way = row.repeat(2), start.repeat(2), torch.ones_like(start).repeat(2)
    way[clips:] = -1
    here = [corners[:, k].repeat(2, 1) for k in (0, 1)]
    seen = [template.repeat(2, 1, 1) for template in templates]
    for step in range(1, time):
        inside = (start + step * way >= 0) & (start + step * way < time)
        row, start, way = row[inside], start[inside], way[inside]
        here, seen = [h[inside] for h in here], [s[inside] for s in seen]
        frame = canvas[row, start + step * way]
        for k in (0, 1, 0, 1):
            here[k] = looked_for(remainder(frame, seen[1 - k], here[1 - k]), seen[k], here[k])
        tracks[row, start + step * way] = torch.stack(here, dim=1)
        found = [windows(remainder(frame, seen[1 - k], here[1 - k]), here[k]) for k in (0, 1)]
        seen = [seen[k] + (found[k] - seen[k]) / (step + 1) for k in (0, 1)]
    return tracks


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
        left = unexplained(canvas[rows], tracks[rows])
        better = left < best.unexplained[rows]
        best.tracks[rows[better]] = tracks[rows[better]]
        best.unexplained[rows[better]] = left[better]
    return best


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


def two_means(
    video: Brightness,
) -> tuple[Float[Tensor, "clip time 2 2"], Float[Tensor, "clip time"]]:
    """The centres (row, column) of a frame's light parted into two, and how far apart they are.

    Apart: variance between the parts over that within them.
    """
    light = avg_pool2d(video.flatten(0, 1)[:, None], 2)[:, 0] + 1e-6
    line = torch.arange(light.shape[-1], device=video.device) * 2 + 0.5
    place = torch.stack(torch.meshgrid(line, line, indexing="ij"), dim=-1).flatten(0, 1)
    light = light.flatten(1)

    def centre(part: Tensor) -> tuple[Tensor, Tensor]:
        mass = part.sum(dim=1, keepdim=True)
        return part @ place / mass, mass[:, 0]

    middle, mass = centre(light)
    off = place - middle[:, None]
    spread = torch.einsum("fp,fpi,fpj->fij", light, off, off) / mass[:, None, None]
    widths, axes = torch.linalg.eigh(spread)
    axis = axes[:, :, 1]
    larger = axis.gather(1, axis.abs().argmax(dim=1, keepdim=True))
    step = axis * larger.sign() * widths[:, 1:].sqrt()  # which end comes first is not left open
    one, other = middle + step, middle - step
    for _ in range(MEANS_ROUNDS):
        towards = ((place - (one + other)[:, None] / 2) * (other - one)[:, None]).sum(dim=-1)
        (one, mass_one), (other, mass_other) = (
            centre(light * (towards < 0)),
            centre(light * (towards >= 0)),
        )
    between = (one - other).square().sum(dim=1) * mass_one * mass_other / mass**2
    apart = between / (widths.sum(dim=1) - between).clamp(min=1e-3)
    shape = video.shape[:2]
    return torch.stack([one, other], dim=1).reshape(*shape, 2, 2), apart.reshape(shape)
