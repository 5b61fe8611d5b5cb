"""Scores of swaps that need neither labels nor a judge: optical flow, colours, background.

A swap is compared with the donor that it should resemble, with its other donor (`_other`) and with
a clip that gave it nothing (`_null`, a wrong pair). `_floor` compares reconstructions with their
own clips: the loss of decoding alone.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from s3vae.data.clips import ClipFile
from s3vae.evaluation.codes import ClipGenerator, Codes
from s3vae.evaluation.pictures import Clips, decode
from s3vae.evaluation.protocol import Scores
from s3vae.grid import cell_motion
from s3vae.signals.optical_flow import Farneback, clip_flow

MOST_PAIRS = 64
CELLS = 8
"""Rows and columns of the grid over which flow is averaged."""
STILL = 0.05
"""The largest standard deviation over time of a background pixel, intensities in [0, 1]."""
LEVELS = 256


class Donors(NamedTuple):
    """The donors of z_f and z_t of every swap, and a third clip (if there are three)."""

    static: Int[ndarray, " swap"]
    dynamic: Int[ndarray, " swap"]
    neither: Int[ndarray, " swap"]


class Statistics(NamedTuple):
    """What is compared of each clip: flow by cell, colours, mean frame and its still pixels.

    `colours` is the distribution function of each channel's intensities over all frames.
    """

    flow: Float[ndarray, "clip pair rows columns 2"]
    colours: Float[ndarray, "clip channel level"]
    mean: Float[ndarray, "clip height width channel"]
    still: Bool[ndarray, "clip height width"]


def fixed_donors(identity: Int[ndarray, " clip"]) -> Donors:
    """Return donors, as positions in the list of identities: every clip is each of them once.

    Donors are a shift of the clips in a random order of identities, so they differ in identity as
    far as possible.
    """
    _, group, sizes = np.unique(identity, return_inverse=True, return_counts=True)
    place = np.random.default_rng(0).permutation(len(sizes))[group]
    order = np.argsort(place, kind="stable")
    shift = max(1, min(int(sizes.max()), len(order) // 3))
    return Donors(order, np.roll(order, -shift), np.roll(order, -2 * shift))


def statistics(frames: Clips) -> Statistics:
    """Return what is compared of each clip."""
    rows = []
    for clip in frames:
        flow = cell_motion(clip_flow(clip, Farneback()), CELLS, CELLS)[..., 1:]
        counts = [np.bincount(each.ravel(), minlength=LEVELS) for each in np.moveaxis(clip, -1, 0)]
        colours = np.cumsum(counts, axis=1) / clip[..., 0].size
        still = (clip.std(axis=0, dtype=np.float32) <= STILL * (LEVELS - 1)).all(axis=-1)
        mean = clip.mean(axis=0, dtype=np.float32) / (LEVELS - 1)
        rows.append((flow, colours, mean, still))
    return Statistics(*(np.stack(each) for each in zip(*rows, strict=True)))


def flow_cosine(clips: Statistics, others: Statistics) -> float:
    """Return the cosine of both flows, all clips taken as one vector."""
    length = float(np.linalg.norm(clips.flow) * np.linalg.norm(others.flow))
    return float(np.vdot(clips.flow, others.flow)) / length if length else float("nan")


def flow_error(clips: Statistics, others: Statistics) -> float:
    """Return the mean end-point error over the mean magnitude of the other clips' flow."""
    error, magnitude = (
        float(np.linalg.norm(each, axis=-1).sum())
        for each in (clips.flow - others.flow, others.flow)
    )
    return error / magnitude if magnitude else float("nan")


def colour_distance(clips: Statistics, others: Statistics) -> float:
    """Return the Wasserstein distance of intensities, the mean over clips and channels."""
    return mean(np.abs(clips.colours - others.colours).sum(axis=-1) / (LEVELS - 1))


def background_distance(clips: Statistics, others: Statistics) -> float:
    """Return the mean absolute difference where the pixels of both clips are still."""
    return mean(np.abs(clips.mean - others.mean)[clips.still & others.still])


def mean(values: ndarray) -> float:
    """Return the mean of all values, NaN if there are none."""
    return float(values.mean()) if values.size else float("nan")


Code = Literal["static", "dynamic"]
Compare = Callable[[Any, Any], float]
MEASURES: dict[str, tuple[Compare, Code]] = {
    "flow_cosine": (flow_cosine, "dynamic"),
    "flow_error": (flow_error, "dynamic"),
    "colour_distance": (colour_distance, "static"),
    "background_distance": (background_distance, "static"),
}
"""Each with the code whose donor the swap should resemble."""


class Compared(NamedTuple):
    """Swaps, reconstructions and real clips: their frames, or tuples of arrays by clip."""

    swaps: Any
    reconstructions: Any
    real: Any
    donors: Donors

    def mapped(self, function: Callable[[Any], Any]) -> "Compared":
        """Return the function of each of the three."""
        swaps, reconstructions, real = map(function, self[:3])
        return Compared(swaps, reconstructions, real, self.donors)

    def real_at(self, rows: Int[ndarray, " swap"]) -> Any:
        """Return the real clips at these positions."""
        return type(self.real)(*(each[rows] for each in self.real))

    def scores(self, name: str, compare: Compare, code: Code) -> Scores:
        """Return a measure of the swaps with its references."""
        static, dynamic, neither = map(self.real_at, self.donors)
        alike, other = (static, dynamic) if code == "static" else (dynamic, static)
        wrong = compare(self.swaps, neither) if len(self.donors.neither) > 2 else float("nan")
        return {
            name: compare(self.swaps, alike),
            f"{name}_other": compare(self.swaps, other),
            f"{name}_floor": compare(self.reconstructions, self.real),
            f"{name}_null": wrong,
        }


def swapped_clips(
    model: ClipGenerator, codes: Codes, clips: ClipFile, rows: Int[ndarray, " clip"]
) -> Compared:
    """Return the frames of swaps, reconstructions and real clips, for at most `MOST_PAIRS` swaps.

    `codes` are those of the clips at `rows`.
    """
    chosen = np.random.default_rng(0).permutation(len(rows))[:MOST_PAIRS]
    donors = fixed_donors(clips.identity[rows[chosen]])
    own = Codes(codes.static[chosen], codes.dynamic[chosen])
    swaps = Codes(own.static[donors.static], own.dynamic[donors.dynamic])
    real = clips.frames(rows[chosen])
    return Compared(decode(model, swaps), decode(model, own), real, donors)


def label_free_scores(frames: Compared) -> Scores:
    """Return every measure of the swaps with its references."""
    compared = frames.mapped(statistics)
    return {
        key: value
        for name, measure in MEASURES.items()
        for key, value in compared.scores(name, *measure).items()
    }
