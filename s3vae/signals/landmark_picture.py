"""A picture of landmarks on frames, and of their three distances over time."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, UInt8
from matplotlib.figure import Figure
from numpy import ndarray

from s3vae.files import replacing
from s3vae.signals.landmarks import DISTANCES, distances

FRAMES = 5
"""Frames drawn per clip."""
SIDE = 2.2
"""Width and height of a frame, in inches."""


def drawn_frames(time: int) -> list[int]:
    """Return the indices of the frames of a clip that are drawn, evenly spaced."""
    return [int(index) for index in np.linspace(0, time - 1, FRAMES)]


def draw_landmarks(
    path: Path,
    clips: Sequence[UInt8[ndarray, "drawn height width channel"]],
    points: Sequence[Float[ndarray, "time 68 2"]],
    found: Sequence[Bool[ndarray, " time"]],
) -> None:
    """Write a PNG with a row per clip: its `drawn_frames`, then the distances over time."""
    figure = Figure(figsize=(SIDE * (FRAMES + 1.6), SIDE * len(clips)), layout="constrained")
    widths = [1.0] * FRAMES + [1.6]
    rows = figure.subplots(len(clips), FRAMES + 1, squeeze=False, width_ratios=widths)
    for panels, clip, dots, mask in zip(rows, clips, points, found, strict=True):
        for panel, frame, image in zip(panels[:-1], drawn_frames(len(dots)), clip, strict=True):
            panel.imshow(image.squeeze(), cmap="gray")
            if mask[frame]:
                panel.plot(*dots[frame].T, ".", color="#00e060", ms=2.2)
            panel.set_title(f"frame {frame}", fontsize="x-small")
            panel.axis("off")
        gaps = np.where(mask[:, None], distances(dots), np.nan)
        for name, gap in zip(DISTANCES, gaps.T, strict=True):
            panels[-1].plot(gap, label=name)
        panels[-1].grid(alpha=0.3)
    rows[0][-1].legend(fontsize="x-small")
    rows[0][-1].set_title("distances / outer eyes", fontsize="x-small")
    with replacing(path) as aside:
        figure.savefig(aside, format="png", dpi=80, metadata={"Software": None})
