"""Sprites: cells and layers of drawn sheets and, with the mirror, the real set."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from s3vae.data.clips import ClipFile, write_clips
from s3vae.data.download import fetch
from s3vae.data.sprites import ACTIONS, CELL, FACTORS, FRAMES_SHA256, PARTS, Sprites

ROWS = {"walk": (9, 10, 11), "spellcard": (1, 2, 3), "slash": (13, 14, 15)}
"""Left, front, right."""
COLUMNS = {
    "walk": (8, 1, 2, 3, 4, 5, 6, 7),
    "spellcard": (0, 1, 2, 3, 4, 5, 4, 6),
    "slash": (0, 1, 2, 3, 4, 5, 4, 0),
}


def cell_of(action: int, time: int) -> tuple[int, int]:
    """Return the row and column of the sheet for a frame of an action."""
    move, way = ACTIONS[action].split()
    return ROWS[move][("left", "front", "right").index(way)], COLUMNS[move][time]


@pytest.fixture(scope="module")
def drawn_sheets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write sheets whose colours encode row and column (body) or the value (other parts)."""
    folder = tmp_path_factory.mktemp("drawn")
    for file in Sprites().files:
        part, value = file.path.split("/")[1], int(Path(file.path).stem)
        sheet = np.zeros((21, 13, CELL, CELL, 4), np.uint8)
        if part == "body":
            sheet[..., 0] = 10 * np.arange(21)[:, None, None, None]
            sheet[..., 1] = 10 * np.arange(13)[:, None, None]
            sheet[..., 2:] = (value, 255)
        else:
            sheet[..., (*PARTS, "shoes").index(part), :, :] = (value, part == "shoes", 7, 255)
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = sheet.transpose(0, 2, 1, 3, 4).reshape(21 * CELL, 13 * CELL, 4)
        Image.fromarray(whole).save(path, compress_level=1)
    return folder


def test_each_frame_is_cut_from_its_cell(drawn_sheets: Path) -> None:
    for action, clip in enumerate(islice(Sprites().clips(drawn_sheets).frames, len(ACTIONS))):
        for time, frame in enumerate(clip):
            row, column = cell_of(action, time)
            assert tuple(frame[-1, -1]) == (10 * row, 10 * column, 0)


def test_the_parts_are_layered_in_the_order_of_the_labels(drawn_sheets: Path) -> None:
    clips = Sprites().clips(drawn_sheets)
    for index in range(0, 50 * len(ACTIONS), 7):
        assert clips.labels["action"][index] == index % len(ACTIONS)
    for index, clip in enumerate(islice(clips.frames, 50 * len(ACTIONS))):
        for line, name in enumerate(("bottom", "top", "hair"), start=1):
            assert tuple(clip[0, line, 0]) == (clips.labels[name][index], 0, 7)
        assert tuple(clip[0, 4, 0]) == (1, 1, 7)
        assert clip[0, 0, 0, 2] == clips.labels["body"][index]


def test_the_split_is_that_of_the_literature() -> None:
    clips = Sprites().clips(Path("unread"))
    order = np.random.RandomState(423).permutation(1296)
    assert set(clips.identity[clips.split == 2]) == set(order[1000:])
    assert set(clips.identity[clips.split == 1]) == set(order[900:1000])
    assert np.bincount(clips.split).tolist() == [8100, 900, 2664]


def test_the_25_sheets_are_from_one_commit() -> None:
    files = Sprites().files
    assert len({file.checksum for file in files}) == 25
    assert files[0].path == "sprites/body/0.png"
    for file in files:
        assert file.urls[0].endswith(file.path.removeprefix("sprites/"))
        assert "3ce4048c5227802bd8f1888e293fd3afdba91c0c" in file.urls[0]


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory, mirror_with: Callable[[str], str]) -> Path:
    """Fetch the real sheets from the mirror."""
    mirror, folder = mirror_with("sprites"), tmp_path_factory.mktemp("raw")
    for file in Sprites().files:
        fetch(file, folder, mirror)
    return folder


@pytest.mark.slow
def test_the_real_set_is_that_of_the_original_generator(raw: Path, tmp_path: Path) -> None:
    write_clips(tmp_path / "sprites.h5", Sprites().clips(raw))
    assert ClipFile(tmp_path / "sprites.h5").sha256 == FRAMES_SHA256


def test_a_real_frame_is_its_parts_pasted_with_alpha(raw: Path) -> None:
    clips = Sprites().clips(raw)
    for index, clip in enumerate(islice(clips.frames, 0, 2500)):
        if index % 131:
            continue
        time = index % 8
        row, column = cell_of(clips.labels["action"][index], time)
        frame = Image.new("RGBA", (CELL, CELL), "black")
        for part, name in (*zip(PARTS, FACTORS, strict=True), ("shoes", None)):
            value = 1 if name is None else clips.labels[name][index]
            with Image.open(raw / "sprites" / part / f"{value}.png") as sheet:
                box = (column * CELL, row * CELL, (column + 1) * CELL, (row + 1) * CELL)
                frame.alpha_composite(sheet.convert("RGBA").crop(box))
        assert np.array_equal(clip[time], np.asarray(frame)[..., :3])
