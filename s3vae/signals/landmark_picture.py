"""A picture of landmarks on frames, and of their three distances over time."""

from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, UInt8
from numpy import ndarray

from s3vae.files import replacing
from s3vae.signals.landmarks import DISTANCES, distances

FRAMES = 5
"""Frames drawn per clip."""
SIDE = 2.2
"""Width and height of a frame, in inches."""


def draw_landmarks(
    path: Path,
    clips: UInt8[ndarray, "clip time height width channel"],
    points: Float[ndarray, "clip time 68 2"],
    found: Bool[ndarray, "clip time"],
) -> None:
    """Write a PNG with a row per clip: evenly spaced frames, then the distances over time."""
    from matplotlib.figure import Figure  # takes a second

    figure = Figure(figsize=(SIDE * (FRAMES + 1.6), SIDE * len(clips)), layout="constrained")
    widths = [1.0] * FRAMES + [1.6]
    rows = figure.subplots(len(clips), FRAMES + 1, squeeze=False, width_ratios=widths)
    for panels, clip, dots, mask in zip(rows, clips, points, found, strict=True):
        shown = np.linspace(0, len(clip) - 1, FRAMES).astype(int)
        for panel, frame in zip(panels[:-1], shown, strict=True):
            panel.imshow(clip[frame].squeeze(), cmap="gray")
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
