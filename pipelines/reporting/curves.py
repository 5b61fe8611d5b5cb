"""Scores against minutes of training, as a picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from s3vae.files import replacing

Curve = Sequence[Mapping[str, float]]
PANELS = {
    "%": ("accuracy", "static_kept", "swap_dynamic", "swap_static"),
    "static leak %": ("static_leak",),
    "IS": ("inception_score",),
    "H(y given x)": ("h_y_given_x",),
}
"""What each picture of a row shows, by its title; those that end in % are shares."""
WIDTH, HEIGHT = 12, 3.2
"""Inches of one model's row."""
LINES = ("-", "--", "-.", ":")
"""One after the other, so that curves that lie on each other are all seen."""


def draw_curves(path: Path, curves: Mapping[str, Curve]) -> None:
    """One row per model, one picture per kind of score, against `minutes`; as PNG."""
    count = max(len(curves), 1)
    figure = Figure(figsize=(WIDTH, HEIGHT * count), layout="constrained")
    rows = figure.subplots(count, len(PANELS), squeeze=False)
    for panels, (model, curve) in zip(rows, curves.items(), strict=False):
        minutes = [row["minutes"] for row in curve]
        for panel, (title, names) in zip(panels, PANELS.items(), strict=True):
            factor = 100 if title.endswith("%") else 1
            for name, line in zip(names, LINES, strict=False):
                scores = [factor * row[name] for row in curve]
                panel.plot(minutes, scores, line, marker=".", label=name)
            panel.set(title=title, xlabel="minutes of training")
            panel.grid(alpha=0.3)
        panels[0].set(ylabel=model)
        panels[0].legend(fontsize="x-small")
        panels[1].set(ylim=(0, 100))
    with replacing(path) as aside:
        figure.savefig(aside, format="png", dpi=80, metadata={"Software": None})
