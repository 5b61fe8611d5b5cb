"""Scores against minutes, as a picture."""

from pathlib import Path

from PIL import Image

from pipelines.reporting.curves import PANELS, draw_curves

NAMES = [name for names in PANELS.values() for name in names]


def curve(*values: float) -> list[dict[str, float]]:
    return [
        {"minutes": float(minute), **dict.fromkeys(NAMES, value)}
        for minute, value in enumerate(values)
    ]


def test_every_model_has_a_row_of_the_picture(tmp_path: Path) -> None:
    heights = []
    for number in (1, 2):
        path = tmp_path / f"{number}.png"
        draw_curves(path, {f"model {each}": curve(0.1, 0.5, 0.9) for each in range(number)})
        with Image.open(path) as picture:
            heights.append(picture.height)
    assert heights[1] == 2 * heights[0]


def test_the_same_curves_are_the_same_bytes_and_others_are_not(tmp_path: Path) -> None:
    pictures = []
    for values in ((0.1, 0.5), (0.1, 0.5), (0.1, 0.6)):
        draw_curves(tmp_path / "curve.png", {"model": curve(*values)})
        pictures.append((tmp_path / "curve.png").read_bytes())
    assert pictures[0] == pictures[1] != pictures[2]


def test_without_curves_there_is_a_picture_all_the_same(tmp_path: Path) -> None:
    draw_curves(tmp_path / "curve.png", {})
    assert (tmp_path / "curve.png").is_file()
