"""Two bright objects on black, followed through a clip: where each of them is, without any label.

No network: in the frame where they are furthest apart two means part the light into two, each part
is a template, and templates are looked for from frame to frame, in what the other leaves of it.
"""

import torch
from jaxtyping import Float, Int, UInt8
from numpy import ndarray
from torch import Tensor
from torch.nn.functional import avg_pool2d

from s3vae.model.two_objects.templates import (
    DARKEST,
    GOOD,
    Followed,
    keep_better,
    looked_for,
    parted,
    settled,
    templates_of,
)
from s3vae.model.two_objects.windows import (
    MARGIN,
    SIDE,
    Tracks,
    Windows,
    remainder,
    windows,
    with_margin,
    within,
)

STARTS, MEANS_ROUNDS = 4, 6
MISSED = 2.0
"""Sum of squares per frame above which an object may have been missed throughout."""
Brightness = Float[Tensor, "clip time height width"]


def brightness(video: Float[Tensor, "clip time channel height width"]) -> Brightness:
    """What objects are followed by: the mean over channels."""
    return video.mean(dim=2)


@torch.no_grad()
def follow_two(video: Brightness) -> Followed:
    """The two objects of every clip, from the start that explains it best.

    Clips that are not explained are followed again from another frame, up to `STARTS` times in all,
    and where one object may then have passed for both, the other is looked for in what is left.
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
        keep_better(best, rows, from_start(canvas[rows], start, centres[rows, start]))
    rows = (best.unexplained > MISSED).nonzero()[:, 0]
    if len(rows):
        for known in (0, 1):
            tracks = with_the_rest(canvas[rows], best.tracks[rows], known)
            keep_better(best, rows, settled(canvas[rows], tracks))
    return Followed(best.tracks - MARGIN, best.unexplained)


def with_the_rest(
    canvas: Float[Tensor, "clip time height width"], tracks: Tracks, known: int
) -> Tracks:
    """One object's tracks as they are; the other's around the light that it leaves of each frame.

    Squares of the light, so that what is faint all over does not count.
    """
    frames, places = canvas.flatten(0, 1), parted(tracks)
    seen = templates_of(frames, tracks, DARKEST[-1])
    left = remainder(frames, seen[known], places[known]).square() + 1e-9
    line = torch.arange(left.shape[-1], device=left.device, dtype=left.dtype)
    centre = torch.stack([left.sum(dim=2) @ line, left.sum(dim=1) @ line], dim=1)
    centre = centre / left.sum(dim=(1, 2))[:, None]
    corner = (centre - (SIDE - 1) / 2).round().long()
    found = tracks.clone()
    found[:, :, 1 - known] = within(corner, left.shape[-1]).reshape(found[:, :, 0].shape)
    return found


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
