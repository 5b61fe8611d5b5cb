"""Scores against minutes of training, as a picture."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from s3vae.evaluation.metrics import metric
from s3vae.files import replacing

PANELS = (
    ("accuracy", "static_preserved", "swap_dynamic", "swap_static"),
    ("static_leakage",),
    ("inception_score",),
    ("h_y_given_x",),
)
"""The metrics of each picture in a row; those of one picture have the same unit."""
WIDTH, HEIGHT = 12, 3.2
"""Inches of one model's row."""
LINES = ("-", "--", "-.", ":")
"""Styles in turn, so that coinciding curves stay visible."""


def draw_curves(path: Path, curves: Mapping[str, pd.DataFrame]) -> None:
    """Write a PNG with a row per model and a picture per panel, against `minutes`."""
    count = max(len(curves), 1)
    figure = Figure(figsize=(WIDTH, HEIGHT * count), layout="constrained")
    rows = figure.subplots(count, len(PANELS), squeeze=False)
    for panels, (model, curve) in zip(rows, curves.items(), strict=False):
        for panel, names in zip(panels, PANELS, strict=True):
            first = metric(names[0])
            factor = 100 if first.unit == "%" else 1
            for name, line in zip(names, LINES, strict=False):
                panel.plot(curve["minutes"], factor * curve[name], line, marker=".", label=name)
            title = first.title if len(names) == 1 else first.unit
            panel.set(title=title, xlabel="minutes of training")
            panel.grid(alpha=0.3)
        panels[0].set(ylabel=model)
        panels[0].legend(fontsize="x-small")
        panels[1].set(ylim=(0, 100))
    with replacing(path) as aside:
        figure.savefig(aside, format="png", dpi=80, metadata={"Software": None})
