"""Write swaps of drawn clips by a model that comes with the package: `make demo` begins with them.

`python -m pipelines.tools.first_look FILE`: a row per appearance, a column per motion.
"""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from pipelines.cli import arguments
from s3vae.app.film import enlarged, write_film
from s3vae.app.load import load
from s3vae.app.model import VideoModel
from s3vae.data.dsprites.dsprites import MOTIONS, DSprites
from s3vae.data.splits import TEST
from s3vae.tiles import Grid, film

MODEL, FRAMES_PER_SECOND, SIDE = "dsprites", 8, 640


def shown_clips() -> UInt8[ndarray, "clip time height width 3"]:
    """Draw a clip of each motion, of appearances that the model did not learn from."""
    drawn = DSprites(takes=1).clips(Path())
    appearances = iter(np.unique(drawn.identity[drawn.split == TEST])[:: len(MOTIONS) // 2])
    chosen = {int(next(appearances)) * len(MOTIONS) + motion for motion in range(len(MOTIONS))}
    return np.stack([clip for index, clip in enumerate(drawn.frames) if index in chosen])


def swaps(model: VideoModel, clips: UInt8[ndarray, "clip time height width 3"]) -> Grid:
    """Return the clips above and beside every pair's swap."""
    count = len(clips)
    grid = np.zeros((count + 1, count + 1, *clips.shape[1:]), np.uint8)
    grid[0, 1:] = grid[1:, 0] = clips
    for row, appearance in enumerate(clips, start=1):
        for column, motion in enumerate(clips, start=1):
            grid[row, column] = model.swap(appearance, motion)
    return grid


if __name__ == "__main__":
    (path,) = arguments("file")
    frames = film(swaps(load(MODEL), shown_clips()))
    times = np.arange(len(frames)) / FRAMES_PER_SECOND
    write_film(Path(path), (enlarged(frame, SIDE) for frame in frames), times, force=True)
