"""Scores against minutes, as a picture."""

from pathlib import Path

import pandas as pd
from PIL import Image

from pipelines.reporting.curves import PANELS, draw_curves
from s3vae.evaluation.metrics import metric


def curve(*values: float) -> pd.DataFrame:
    names = [name for panel in PANELS for name in panel]
    return pd.DataFrame({"minutes": range(len(values)), **dict.fromkeys(names, values)})


def test_every_model_has_a_row_of_the_picture(tmp_path: Path) -> None:
    heights = []
    for count in (0, 1, 2):
        path = tmp_path / f"{count}.png"
        draw_curves(path, {f"model {each}": curve(0.1, 0.5, 0.9) for each in range(count)})
        with Image.open(path) as picture:
            heights.append(picture.height)
    assert heights == [heights[1], heights[1], 2 * heights[1]]


def test_equal_curves_give_equal_bytes_and_unequal_ones_do_not(tmp_path: Path) -> None:
    pictures = []
    for values in ((0.1, 0.5), (0.1, 0.5), (0.1, 0.6)):
        draw_curves(tmp_path / "curve.png", {"model": curve(*values)})
        pictures.append((tmp_path / "curve.png").read_bytes())
    assert pictures[0] == pictures[1] != pictures[2]


def test_metrics_of_one_panel_have_one_unit() -> None:
    assert all(len({metric(name).unit for name in panel}) == 1 for panel in PANELS)
