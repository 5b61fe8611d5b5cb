"""Scores against minutes of training, as a picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from s3vae.files import replacing

Curve = Sequence[Mapping[str, float]]
SHOWN_SHARES = ("accuracy", "static_kept", "static_leak", "swap_dynamic", "swap_static")
WIDTH, HEIGHT = 10, 3.2
"""Inches of one model's row."""


def draw_curves(path: Path, curves: Mapping[str, Curve]) -> None:
    """One row per model: shares, inception score and entropy against `minutes`, as PNG."""
    figure = Figure(figsize=(WIDTH, HEIGHT * max(len(curves), 1)), layout="constrained")
    rows = figure.subplots(max(len(curves), 1), 3, squeeze=False)
    for panels, (title, curve) in zip(rows, curves.items(), strict=False):
        minutes = [row["minutes"] for row in curve]
        for name in SHOWN_SHARES:
            panels[0].plot(minutes, [100 * row[name] for row in curve], marker=".", label=name)
        panels[0].set(title=title, ylabel="%", ylim=(0, 101))
        panels[0].legend(fontsize="x-small")
        for panel, name in zip(panels[1:], ("inception_score", "h_y_given_x"), strict=True):
            panel.plot(minutes, [row[name] for row in curve], marker=".")
            panel.set(title=name)
        for panel in panels:
            panel.set_xlabel("minutes of training")
            panel.grid(alpha=0.3)
    with replacing(path) as aside:
        figure.savefig(aside, format="png", dpi=100, metadata={"Software": None})
