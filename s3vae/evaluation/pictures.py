"""What people look at first: swaps, one code fixed and the other drawn, reconstructions."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int, UInt8
from numpy import ndarray
from PIL import Image

from s3vae.data.clips import ClipFile
from s3vae.evaluation.codes import Codes, Generating
from s3vae.runtime import generator_at
from s3vae.tensors import to_bytes

Grid = UInt8[ndarray, "row column time height width channel"]
GAP, MILLISECONDS, FRAMES_IN_STILL, COLOURS = 2, 125, 3, 128


def pictures(
    model: Generating,
    codes: Codes,
    real: UInt8[ndarray, "clip time height width channel"],
    seed: int,
) -> Mapping[str, Grid]:
    """By file name, a grid of clips: those that the codes are of at its margin, others beside."""
    return {
        "swap": swap_grid(model, codes, real),
        "fix-motion-vary-appearance": drawn_grid(model, codes, real, "static", seed),
        "fix-appearance-vary-motion": drawn_grid(model, codes, real, "dynamic", seed),
        "reconstruction": np.stack([real, decode(model, codes)]),
    }


def varied_clips(clips: ClipFile, count: int, seed: int) -> Int[ndarray, " clip"]:
    """Test clips, of different identities while there are any, whose motions take turns.

    Where motions have no names, they are as they come.
    """
    order = np.random.default_rng(seed).permutation(clips.split("test"))
    named = clips.dynamic_factors[:1]
    motion = clips.labels(named[0].name) if named else np.zeros(clips.clips, np.int64)
    motions = len(named[0].values) if named else 1
    chosen: list[int] = []
    for turn in range(count):
        wanted = turn % motions
        known = clips.identity[chosen]
        left = [int(i) for i in order if i not in chosen]
        fresh = [i for i in left if clips.identity[i] not in known] or left
        chosen.append(next((i for i in fresh if motion[i] == wanted), fresh[0]))
    return np.array(chosen)


@torch.no_grad()
def decode(model: Generating, codes: Codes) -> UInt8[ndarray, "clip time height width channel"]:
    """The decoded clips as bytes."""
    frames: ndarray = to_bytes(model.decode(codes.static, codes.dynamic)).cpu().numpy()
    return frames


def swap_grid(
    model: Generating, codes: Codes, real: UInt8[ndarray, "clip time height width channel"]
) -> Grid:
    """Row i, column j: the appearance of clip i with the motion of clip j, both at the margins."""
    count = len(real)
    rows = [np.concatenate([np.zeros_like(real[:1]), real])]
    for i in range(count):
        pairs = Codes(codes.static[i : i + 1].expand(count, -1), codes.dynamic)
        rows.append(np.concatenate([real[i : i + 1], decode(model, pairs)]))
    return np.stack(rows)


def drawn_grid(
    model: Generating,
    codes: Codes,
    real: UInt8[ndarray, "clip time height width channel"],
    which: str,
    seed: int,
) -> Grid:
    """Each row is a clip, then the clip with one of its codes drawn anew in every column."""
    columns = [real]
    for column in range(len(real)):
        generator = generator_at(codes.static.device, seed, column)
        if which == "static":
            # one appearance per column, whatever the motion of the row
            drawn = codes.draw_static(model, generator)
            drawn = Codes(drawn.static[:1].expand_as(drawn.static), drawn.dynamic)
        else:
            drawn = codes.draw_dynamic(model, generator)
        columns.append(decode(model, drawn))
    return np.stack(columns, axis=1)


def film(grid: Grid) -> UInt8[ndarray, "time tall wide rgb"]:
    """The grid as one film: all its clips play at once."""
    gaps = ((0, 0), (0, 0), (0, 0), (GAP, 0), (GAP, 0), (0, 0))
    spaced = np.pad(grid, gaps, constant_values=64)
    rows, columns, time, height, width, channels = spaced.shape
    tiled: ndarray = spaced.transpose(2, 0, 3, 1, 4, 5).reshape(
        time, rows * height, columns * width, channels
    )
    return np.repeat(tiled, 3, axis=-1) if channels == 1 else tiled


def still(grid: Grid) -> UInt8[ndarray, "tall wide rgb"]:
    """The grid as one picture: of every clip some frames, evenly spaced, side by side."""
    time = np.linspace(0, grid.shape[2] - 1, FRAMES_IN_STILL).round().astype(int)
    strips = np.concatenate(list(np.moveaxis(grid[:, :, time], 2, 0)), axis=3)
    picture: ndarray = film(strips[:, :, None])[0]
    return picture


def save_picture(grid: Grid, folder: Path, name: str) -> None:
    """Write a grid as `name`.png and `name`.gif.

    All frames of a GIF share one palette, and none is dithered: noise that packs badly.
    """
    picture = Image.fromarray(still(grid))
    picture.save(folder / f"{name}.png", optimize=True)
    palette = picture.quantize(COLOURS)
    first, *others = [
        Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE)
        for frame in film(grid)
    ]
    first.save(
        folder / f"{name}.gif",
        save_all=True,
        append_images=others,
        duration=MILLISECONDS,
        loop=0,
        optimize=True,
    )
