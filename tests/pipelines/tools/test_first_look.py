"""The first sight of `make demo`."""

import numpy as np

from pipelines.tools.first_look import MODEL, shown_clips, swaps
from s3vae.app.load import load


def test_every_row_has_one_colour_and_every_column_one_motion() -> None:
    clips = shown_clips()[:3]
    grid = swaps(load(MODEL, "cpu"), clips).astype(int)
    assert np.array_equal(grid[0, 1:], clips)
    assert np.array_equal(grid[1:, 0], clips)
    colours = grid.max(axis=(2, 3, 4))[1:]
    assert abs(colours[:, 1:] - colours[:, :1]).max() < 60
    places = (grid.sum(axis=-1) * np.arange(64)).sum(axis=(3, 4))[:, 1:]
    mass = grid.sum(axis=(3, 4, 5))[:, 1:]
    centres = places / np.maximum(mass, 1)
    assert abs(centres[1:] - centres[:1]).max() < 6
