"""Track two bright objects on black through a clip, without labels and without a network.

In the frame where the objects are furthest apart, two-means clustering of the intensities gives
two templates. Template matching then propagates them from frame to frame, each after subtracting
the other object.
"""

import torch
from jaxtyping import Float, Int, UInt8
from numpy import ndarray
from torch import Tensor
from torch.nn.functional import avg_pool2d

from s3vae.model.two_objects.templates import (
    EXPLAINED,
    QUANTILES,
    Canvases,
    Tracking,
    estimate_templates,
    keep_better,
    match_template,
    refine,
    unbind,
)
from s3vae.model.two_objects.windows import (
    MARGIN,
    SIDE,
    Tracks,
    Windows,
    clamp_corners,
    crop,
    subtract,
    with_margin,
)

STARTS, MEANS_ROUNDS = 4, 6
MISSED = 2.0
"""Sum of squares per frame above which an object may have been missed throughout."""
Brightness = Float[Tensor, "clip time height width"]


def brightness(video: Float[Tensor, "clip time channel height width"]) -> Brightness:
    """Average over channels."""
    return video.mean(dim=2)


def track_clips(frames: UInt8[ndarray, "clip time height width channel"]) -> Tracking:
    """Track both objects in clips as they are stored: bytes, channel last."""
    return track(brightness(torch.from_numpy(frames).permute(0, 1, 4, 2, 3).float() / 255))


@torch.no_grad()
def track(video: Brightness) -> Tracking:
    """Track the two objects of every clip; each clip keeps its tracks of least residual.

    Clips that remain unexplained are tracked again from other frames, `STARTS` in all. Where one
    object may have been taken for both, the other is then searched in what the first leaves.
    The first object is the lower one, or the right one, of the frame where tracking starts.
    """
    centres, separation = two_means(video)
    canvas = with_margin(video)
    clips, time = video.shape[:2]
    best = Tracking(
        torch.zeros(clips, time, 2, 2, dtype=torch.long, device=video.device),
        torch.full((clips,), torch.inf, device=video.device),
    )
    frames = torch.arange(time, device=video.device)
    for _ in range(STARTS):
        rows = (best.residual > EXPLAINED).nonzero()[:, 0]
        if not len(rows):
            break
        start = separation[rows].argmax(dim=1)
        near = (frames - start[:, None]).abs() <= 2
        separation[rows] = separation[rows].masked_fill(near, -1)
        keep_better(best, rows, track_from(canvas[rows], start, centres[rows, start]))
    rows = (best.residual > MISSED).nonzero()[:, 0]
    if len(rows):
        for known in (0, 1):
            tracks = relocate_other(canvas[rows], best.tracks[rows], known)
            keep_better(best, rows, refine(canvas[rows], tracks))
    return Tracking(best.tracks - MARGIN, best.residual)


def relocate_other(canvas: Canvases, tracks: Tracks, known: int) -> Tracks:
    """Keep the known object's tracks; centre the other's on what the known one leaves of a frame.

    Intensities are squared, which suppresses large faint areas.
    """
    frames, corners = canvas.flatten(0, 1), unbind(tracks)
    templates = estimate_templates(frames, tracks, QUANTILES[-1])
    weights = subtract(frames, templates[known], corners[known]).square() + 1e-9
    line = torch.arange(weights.shape[-1], device=weights.device, dtype=weights.dtype)
    centre = torch.stack([weights.sum(dim=2) @ line, weights.sum(dim=1) @ line], dim=1)
    centre = centre / weights.sum(dim=(1, 2))[:, None]
    corner = clamp_corners((centre - (SIDE - 1) / 2).round().long(), weights.shape[-1])
    relocated = tracks.clone()
    relocated[:, :, 1 - known] = corner.reshape(relocated[:, :, 0].shape)
    return relocated


def track_from(
    canvas: Canvases, start: Int[Tensor, " clip"], centres: Float[Tensor, "clip 2 2"]
) -> Tracking:
    """Track both objects from one frame of each clip in both directions, then refine the tracks.

    `centres` are those of the objects in that frame, without the margin.
    """
    rows = torch.arange(len(canvas), device=canvas.device)
    corners = clamp_corners((centres - (SIDE - 1) / 2).round().long() + MARGIN, canvas.shape[-1])
    line = torch.arange(canvas.shape[-1], device=canvas.device) - MARGIN
    direction = centres[:, 1] - centres[:, 0]
    middle = centres.mean(dim=1)
    sides = (line[:, None] - middle[:, :1, None]) * direction[:, :1, None] + (
        line - middle[:, 1:, None]
    ) * direction[:, 1:, None]
    first = canvas[rows, start]
    halves = (sides < 0, sides >= 0)
    templates = [crop(first * half, corners[:, k]) for k, half in enumerate(halves)]
    return refine(canvas, propagate(canvas, start, corners, templates))


def propagate(
    canvas: Canvases,
    start: Int[Tensor, " clip"],
    corners: Int[Tensor, "clip 2 2"],
    templates: list[Windows],
) -> Tracks:
    """Match templates frame by frame away from the start; each becomes a mean of its matches."""
    clips, time = canvas.shape[:2]
    tracks = torch.zeros(clips, time, 2, 2, dtype=torch.long, device=canvas.device)
    row = torch.arange(clips, device=canvas.device)
    tracks[row, start] = corners
    # both directions side by side
    row, start, sign = row.repeat(2), start.repeat(2), torch.ones_like(start).repeat(2)
    sign[clips:] = -1
    at = [corners[:, k].repeat(2, 1) for k in (0, 1)]
    templates = [template.repeat(2, 1, 1) for template in templates]
    for step in range(1, time):
        inside = (start + step * sign >= 0) & (start + step * sign < time)
        row, start, sign = row[inside], start[inside], sign[inside]
        at, templates = [a[inside] for a in at], [t[inside] for t in templates]
        frame = canvas[row, start + step * sign]
        for k in (0, 1, 0, 1):
            other = subtract(frame, templates[1 - k], at[1 - k])
            at[k] = match_template(other, templates[k], at[k])
        tracks[row, start + step * sign] = torch.stack(at, dim=1)
        matches = [crop(subtract(frame, templates[1 - k], at[1 - k]), at[k]) for k in (0, 1)]
        templates = [templates[k] + (matches[k] - templates[k]) / (step + 1) for k in (0, 1)]
    return tracks


def two_means(
    video: Brightness,
) -> tuple[Float[Tensor, "clip time 2 2"], Float[Tensor, "clip time"]]:
    """Cluster each frame's intensity into two parts: their centres (row, column) and separation.

    The separation is the variance between the parts over the variance within them. The means start
    one standard deviation to either side of the common centre, on the principal axis.
    """
    intensity = avg_pool2d(video.flatten(0, 1)[:, None], 2)[:, 0] + 1e-6
    line = torch.arange(intensity.shape[-1], device=video.device) * 2 + 0.5
    position = torch.stack(torch.meshgrid(line, line, indexing="ij"), dim=-1).flatten(0, 1)
    intensity = intensity.flatten(1)

    def centre(part: Tensor) -> tuple[Tensor, Tensor]:
        mass = part.sum(dim=1, keepdim=True)
        return part @ position / mass, mass[:, 0]

    middle, mass = centre(intensity)
    offset = position - middle[:, None]
    covariance = torch.einsum("fp,fpi,fpj->fij", intensity, offset, offset) / mass[:, None, None]
    variances, step = principal_axis(covariance)
    one, other = middle + step, middle - step
    for _ in range(MEANS_ROUNDS):
        side = ((position - (one + other)[:, None] / 2) * (other - one)[:, None]).sum(dim=-1)
        (one, mass_one), (other, mass_other) = (
            centre(intensity * (side < 0)),
            centre(intensity * (side >= 0)),
        )
    between = (one - other).square().sum(dim=1) * mass_one * mass_other / mass**2
    separation = between / (variances.sum(dim=1) - between).clamp(min=1e-3)
    shape = video.shape[:2]
    return torch.stack([one, other], dim=1).reshape(*shape, 2, 2), separation.reshape(shape)


def principal_axis(
    covariance: Float[Tensor, "frame 2 2"],
) -> tuple[Float[Tensor, "frame 2"], Float[Tensor, "frame 2"]]:
    """Return the variances along both axes, and a standard deviation along the principal one.

    The larger component of the deviation is positive, which makes its sign unique.
    """
    variances, axes = torch.linalg.eigh(covariance)
    axis = axes[:, :, 1]
    larger = axis.gather(1, axis.abs().argmax(dim=1, keepdim=True))
    return variances, axis * larger.sign() * variances[:, 1:].sqrt()
