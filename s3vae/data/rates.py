"""Frame rates: the frames of a video at a stated rate, by their time stamps."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Int64
from numpy import ndarray

LEAST_DISTINCT = 0.9
"""The share of the frames at a stated rate that a video must have, so that 29.97 serves as 30."""
MIXED = 1.1
"""The ratio of the largest to the smallest rate of a folder above which its rates are mixed."""
UNEVEN = 1.5
"""The ratio of long to short intervals between frames above which a video has no one rate."""
FEW = 10
"""Intervals below which nothing is said about their evenness."""
STRAY = 10
"""The frames, or all that are left, whose stamps stay behind where stamps start anew."""


def increasing(stamps: Float64[ndarray, " frame"]) -> Float64[ndarray, " frame"]:
    """Return time stamps of which each is later than the one before; NaN if none is.

    Stamps that start anew, as in files that were joined, go on at the usual interval. Frames with a
    stamp that is not later than all before share the time until the next one evenly.
    """
    steps = np.diff(stamps)
    if len(stamps) < 2 or np.isnan(stamps).any():
        return stamps
    if not (steps > 0).any():
        return np.full(len(stamps), np.nan)
    usual = float(np.median(steps[steps > 0]))
    times = stamps.copy()
    for index in (np.flatnonzero(steps < 0) + 1).tolist():
        if _starts_anew(stamps, index):
            times[index:] += usual - steps[index - 1]
    latest = np.maximum.accumulate(times)
    known = np.flatnonzero(np.append(True, np.diff(latest) > 0))
    places, ends = np.append(known, len(times)), np.append(latest[known], latest[-1] + usual)
    increased: ndarray = np.interp(np.arange(len(times)), places, ends)
    return increased


def _starts_anew(stamps: Float64[ndarray, " frame"], index: int) -> bool:
    """Return whether stamps begin again at a frame; false if single frames are out of order."""
    before = stamps[index - 1]
    only_before_is_late = index > 1 and stamps[index] > stamps[index - 2]
    return not only_before_is_late and bool((stamps[index : index + STRAY] <= before).all())


def rate_of(times: Float64[ndarray, " frame"]) -> float:
    """Return the mean number of frames per second; NaN for pictures and without time stamps."""
    span = times[-1] - times[0] if len(times) else math.nan
    return (len(times) - 1) / span if span > 0 else math.nan


def frames_at(fps: float, times: Float64[ndarray, " frame"]) -> list[int]:
    """Return the indices of the frames that are nearest to the ticks of a rate, each once.

    Raises ValueError, with the remedy, if there are no time stamps or too few frames.
    """
    if len(times) < 2:
        return [*range(len(times))]
    rate = rate_of(times)
    if math.isnan(rate):
        raise ValueError("it has no time stamps, which `fps` needs: convert it again")
    nearest = _nearest(fps, times)
    if _too_few(nearest):
        lower = range(min(math.ceil(fps) - 1, round(rate)), 0, -1)
        fitting = next((each for each in lower if not _too_few(_nearest(each, times))), rate)
        raise ValueError(
            f"it has too few frames for `fps: {fps:g}`, {rate:.4g} per second with gaps of up to "
            f"{np.diff(times).max():.2g} s: set `fps: {fitting:.4g}`, or remove it"
        )
    return [int(index) for index in np.unique(nearest)]


def uneven_rate(times: Float64[ndarray, " frame"]) -> str:
    """Return a message if frames do not follow evenly, else ""; single late ones do not count."""
    intervals = np.diff(times)
    if np.isnan(times).any() or len(intervals) < FEW:
        return ""
    shortest, longest = np.quantile(intervals, (0.1, 0.9))
    if longest <= UNEVEN * shortest:
        return ""
    rate = max(math.floor(1 / longest + 0.01), 1)
    return (
        f"it has from {1 / longest:.3g} to {1 / max(shortest, 1e-3):.3g} frames per second, so one "
        f"motion has several speeds: set `fps: {rate}` in the `data` section"
    )


def _nearest(fps: float, times: Float64[ndarray, " frame"]) -> Int64[ndarray, " tick"]:
    """Return the index of the frame nearest to each tick, from the first frame to the last one."""
    passed = times - times[0]
    half_a_frame = np.median(np.diff(passed)) / 2
    ticks = np.arange(math.floor((passed[-1] + half_a_frame) * fps) + 1) / fps
    return np.searchsorted((passed[1:] + passed[:-1]) / 2, ticks)


def _too_few(nearest: Int64[ndarray, " tick"]) -> bool:
    return len(np.unique(nearest)) < LEAST_DISTINCT * len(nearest)


def mixed_rates(rates: Sequence[float]) -> str | None:
    """Return a message about the rates of several videos, or None if they are the same."""
    known = [rate for rate in rates if rate > 0]
    if not known or max(known) <= MIXED * min(known):
        return None
    counts = sorted(Counter(map(round, known)).items())
    each = ", ".join(f"{count} of {rate}" for rate, count in counts)
    return (
        f"videos have several rates ({each} frames per second), so one motion has several speeds: "
        f"set `fps: {round(min(known))}` in the `data` section"
    )
