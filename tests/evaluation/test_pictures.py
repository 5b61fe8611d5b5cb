"""Pictures: the arrangement and the size of their clips."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy import ndarray
from PIL import Image, ImageSequence

from s3vae.data.clips import ClipFile
from s3vae.evaluation.codes import Codes, encode
from s3vae.evaluation.pictures import (
    MILLISECONDS,
    decode,
    drawn_grid,
    generated_grid,
    pictures,
    save_picture,
    swap_grid,
    varied_clips,
)
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE
from s3vae.model.static_prior import StaticPrior
from s3vae.tiles import GAP, film, still

CPU = torch.device("cpu")
TIME, SIDE = 4, 64


@pytest.fixture(scope="module")
def model(tiny: Architecture) -> S3VAE:
    """Return an untrained model whose codes distinguish clips."""
    torch.manual_seed(0)
    model = S3VAE(tiny)
    for parameter in model.decoder.parameters():
        torch.nn.init.normal_(parameter)
    return model.eval()


@pytest.fixture(scope="module")
def real(clips: ClipFile) -> ndarray:
    return clips.frames([0, 5, 30])


@pytest.fixture(scope="module")
def codes(model: S3VAE, clips: ClipFile) -> Codes:
    """Return codes of the clips in `real`, far apart."""
    found = encode(model, clips, np.array([0, 5, 30]), CPU)
    generator = torch.Generator().manual_seed(0)
    return Codes(
        found.static + torch.randn(found.static.shape, generator=generator),
        found.dynamic + torch.randn(found.dynamic.shape, generator=generator),
    )


def test_the_margins_of_the_swap_grid_are_the_real_clips(
    model: S3VAE, codes: Codes, real: ndarray
) -> None:
    grid = swap_grid(model, codes, real)
    assert grid.shape == (4, 4, TIME, SIDE, SIDE, 3)
    assert np.array_equal(grid[0, 1:], real)
    assert np.array_equal(grid[1:, 0], real)
    assert not grid[0, 0].any()


def test_a_cell_of_the_swap_grid_has_the_appearance_of_its_row_and_the_motion_of_its_column(
    model: S3VAE, codes: Codes, real: ndarray
) -> None:
    grid = swap_grid(model, codes, real)
    for row, column in np.ndindex(3, 3):
        pair = Codes(codes.static[[row]], codes.dynamic[[column]])
        assert_alike(grid[row + 1, column + 1], decode(model, pair)[0])
    assert len({cell.tobytes() for cell in grid[1:, 1:].reshape(9, -1)}) == 9


def assert_alike(one: ndarray, other: ndarray) -> None:
    """Bytes may differ by rounding, because the order of summation depends on the batch size."""
    assert np.abs(one.astype(int) - other.astype(int)).max() <= 1


def test_in_a_grid_of_drawn_appearances_a_column_has_one_appearance_and_a_row_one_motion(
    model: S3VAE, codes: Codes, real: ndarray
) -> None:
    """If two clips have the same motion, a column has the same clip twice."""
    alike = Codes(codes.static, codes.dynamic[[0, 0, 2]])
    grid = drawn_grid(model, alike, real, "static", seed=0)
    assert grid.shape == (3, 4, TIME, SIDE, SIDE, 3)
    assert np.array_equal(grid[:, 0], real)
    assert_alike(grid[0, 1:], grid[1, 1:])
    assert len({cell.tobytes() for cell in grid[0, 1:]}) == 3
    assert not np.array_equal(grid[0, 1], grid[2, 1])


def test_in_a_grid_of_drawn_motions_every_cell_is_new_and_the_first_column_real(
    model: S3VAE, codes: Codes, real: ndarray
) -> None:
    grid = drawn_grid(model, codes, real, "dynamic", seed=0)
    assert np.array_equal(grid[:, 0], real)
    assert len({cell.tobytes() for cell in grid[:, 1:].reshape(9, -1)}) == 9


def test_pictures_are_a_function_of_the_seed_and_reconstructions_stand_below_the_real_clips(
    model: S3VAE, codes: Codes, real: ndarray
) -> None:
    first, second, other = (pictures(model, codes, real, seed) for seed in (0, 0, 1))
    varied = {"fix-motion-vary-appearance", "fix-appearance-vary-motion"}
    assert first.keys() == {"swap", "reconstruction", *varied}
    for name, grid in first.items():
        assert np.array_equal(grid, second[name])
        assert np.array_equal(grid, other[name]) is (name not in varied)
    assert np.array_equal(first["reconstruction"], np.stack([real, decode(model, codes)]))


def test_chosen_clips_are_of_different_identities_and_motions_of_the_test_split(
    clips: ClipFile,
) -> None:
    for seed in range(10):
        chosen = varied_clips(clips, 2, seed)
        assert set(chosen) <= set(clips.split("test"))
        assert len(set(clips.identity[chosen])) == 2
        assert clips.labels("motion")[chosen].tolist() == [0, 1]


def test_clips_of_a_repeated_identity_are_chosen_if_there_is_no_other(clips: ClipFile) -> None:
    """The test split of the squares has only two identities."""
    chosen = varied_clips(clips, 5, 0)
    assert len(set(chosen)) == 5
    assert set(clips.identity[chosen]) == set(clips.identity[clips.split("test")])


def numbered(rows: int, columns: int, channels: int = 3) -> ndarray:
    """Return a grid with intensity 100 * row + 10 * column + frame."""
    row, column, time = np.indices((rows, columns, TIME))
    grid = (100 * row + 10 * column + time).astype(np.uint8)[..., None, None, None]
    return np.broadcast_to(grid, (rows, columns, TIME, 5, 7, channels))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_film_has_all_clips_at_once_with_gaps_between(channels: int) -> None:
    frames = film(numbered(2, 3, channels))
    assert frames.shape == (TIME, 2 * (5 + GAP), 3 * (7 + GAP), 3)
    for row, column, time in np.ndindex(2, 3, TIME):
        cell = frames[time, row * (5 + GAP) + GAP :, column * (7 + GAP) + GAP :][:5, :7]
        assert (cell == 100 * row + 10 * column + time).all()


def test_a_still_has_the_first_middle_and_last_frame_of_every_clip_side_by_side() -> None:
    picture = still(numbered(2, 3))
    assert picture.shape == (2 * (5 + GAP), 3 * (3 * 7 + GAP), 3)
    strip = picture[GAP, GAP : GAP + 21 : 7, 0]
    assert strip.tolist() == [0, 2, 3]
    last = picture[5 + GAP + GAP, -21::7, 0]
    assert last.tolist() == [120, 122, 123]


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_is_saved_as_still_and_as_film(channels: int, tmp_path: Path) -> None:
    grid = numbered(2, 3, channels)
    save_picture(grid, tmp_path, "swap")
    with Image.open(tmp_path / "swap.png") as png:
        assert np.array_equal(np.asarray(png.convert("RGB")), still(grid))
    with Image.open(tmp_path / "swap.gif") as gif:
        # equal frames are stored once, with a longer duration
        durations = [frame.info["duration"] for frame in ImageSequence.Iterator(gif)]
        assert sum(durations) == TIME * MILLISECONDS
        assert (gif.height, gif.width) == film(grid).shape[1:3]
        assert gif.info["loop"] == 0


def test_equal_grids_are_saved_as_equal_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        save_picture(numbered(2, 2), tmp_path, name)
    for kind in ("png", "gif"):
        first, second = (tmp_path / f"{name}.{kind}" for name in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()


def test_clips_of_the_learned_prior_stand_below_those_of_the_standard_one(
    model: S3VAE, tiny: Architecture
) -> None:
    learned = copy.deepcopy(model)
    learned.static_prior = StaticPrior(tiny.static, [(1, tiny.static)])
    learned.static_prior.parts[0].means.fill_(5)
    standard, both = (generated_grid(each, (1, 3), TIME, 0, CPU) for each in (model, learned))
    assert standard.shape == (2, 3, TIME, SIDE, SIDE, 3)
    np.testing.assert_array_equal(standard[0], standard[1])  # without a learned prior
    np.testing.assert_array_equal(both[0], standard[0])
    assert not np.array_equal(both[1], standard[1])
