"""Pictures of a trained model: swaps, drawn codes, reconstructions, clips that go on."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int, UInt8
from numpy import ndarray
from PIL import Image

from s3vae.baselines.saved import Model
from s3vae.data.clips import ClipFile, Split
from s3vae.evaluation.codes import ClipGenerator, Codes
from s3vae.evaluation.continuation import continued
from s3vae.evaluation.distances import draw_distances, predict_distances
from s3vae.evaluation.encoded import encode_or_sample
from s3vae.evaluation.generation import Prior, drawn_clips
from s3vae.evaluation.settings import EvaluationSettings
from s3vae.files import replacing
from s3vae.model.s3vae import S3VAE
from s3vae.runtime import generator_at
from s3vae.signals.landmark_file import LandmarkSignal
from s3vae.tensors import to_bytes, to_unit
from s3vae.tiles import Grid, film, still

Clips = UInt8[ndarray, "clip time height width channel"]
MILLISECONDS, COLOURS = 125, 128


def write_pictures(
    model: Model,
    clips: ClipFile,
    settings: EvaluationSettings,
    device: torch.device,
    folder: Path,
    landmarks: LandmarkSignal | None = None,
) -> None:
    """Write the pictures of the protocol as PNG and GIF, as a whole folder or not at all."""
    seed = settings.sampling_seeds[0]
    chosen = varied_clips(clips, settings.picture_clips, seed)
    generator, codes = encode_or_sample(model, clips, chosen, device)
    margin = clips.frames(chosen) if isinstance(model, S3VAE) else decode(generator, codes)
    with replacing(folder) as aside:
        aside.mkdir()
        grids = pictures(generator, codes, margin, seed)
        if isinstance(model, S3VAE):
            grids["continued"] = continued_grid(model, margin, device, seed)
            grids["drawn"] = generated_grid(model, (2, len(chosen)), clips.time, seed, device)
        for name, grid in grids.items():
            save_picture(grid, aside, name)
        if landmarks is not None and isinstance(model, S3VAE):
            predicted = predict_distances(model, codes, clips, landmarks)
            tracked = landmarks.whole[chosen, None, None]
            true = np.where(tracked, landmarks.distances[chosen], np.nan)  # NaN draws no curve
            draw_distances(aside / "distances.png", predicted, true)


def pictures(model: ClipGenerator, codes: Codes, real: Clips, seed: int) -> dict[str, Grid]:
    """Return grids of clips by file name, with the clips of the codes at the margin."""
    return {
        "swap": swap_grid(model, codes, real),
        "fix-motion-vary-appearance": drawn_grid(model, codes, real, "static", seed),
        "fix-appearance-vary-motion": drawn_grid(model, codes, real, "dynamic", seed),
        "reconstruction": np.stack([real, decode(model, codes)]),
    }


def varied_clips(
    clips: ClipFile, count: int, seed: int, split: Split = "test"
) -> Int[ndarray, " clip"]:
    """Return clips of a split, of different identities, as far as possible, with motions in turn.

    There are fewer than `count` if the split has no more. Without a dynamic factor, motions are
    arbitrary.
    """
    order = np.random.default_rng(seed).permutation(clips.split(split))
    factors = clips.dynamic_factors[:1]
    motion = clips.labels(factors[0].name) if factors else np.zeros(clips.clips, np.int64)
    motions = len(factors[0].values) if factors else 1
    chosen: list[int] = []
    for turn in range(min(count, len(order))):
        identities = clips.identity[chosen]
        left = [int(i) for i in order if i not in chosen]
        others = [i for i in left if clips.identity[i] not in identities] or left
        chosen.append(next((i for i in others if motion[i] == turn % motions), others[0]))
    return np.array(chosen)


@torch.no_grad()
def decode(model: ClipGenerator, codes: Codes) -> Clips:
    """Return the decoded clips as bytes."""
    frames: ndarray = to_bytes(model.decode(codes.static, codes.dynamic)).cpu().numpy()
    return frames


def swap_grid(model: ClipGenerator, codes: Codes, real: Clips) -> Grid:
    """Return in row i, column j the appearance of clip i with the motion of clip j."""
    count = len(real)
    rows = [np.concatenate([np.zeros_like(real[:1]), real])]
    for i in range(count):
        pairs = Codes(codes.static[i : i + 1].expand(count, -1), codes.dynamic)
        rows.append(np.concatenate([real[i : i + 1], decode(model, pairs)]))
    return np.stack(rows)


def drawn_grid(model: ClipGenerator, codes: Codes, real: Clips, which: str, seed: int) -> Grid:
    """Return a row per clip: the clip, then the clip with one code redrawn in every column."""
    columns = [real]
    for column in range(len(real)):
        generator = generator_at(codes.static.device, seed, column)
        if which == "static":
            # one appearance per column, for all motions
            drawn = codes.draw_static(model, generator)
            drawn = Codes(drawn.static[:1].expand_as(drawn.static), drawn.dynamic)
        else:
            drawn = codes.draw_dynamic(model, generator)
        columns.append(decode(model, drawn))
    return np.stack(columns, axis=1)


def generated_grid(
    model: S3VAE, size: tuple[int, int], time: int, seed: int, device: torch.device
) -> Grid:
    """Return rows of clips with both codes drawn: from N(0, I), below them from the learned prior.

    `size` is the number of rows of each kind, and of columns.
    """
    rows, columns = size
    priors: tuple[Prior, Prior] = ("standard", "learned")
    drawn = [
        to_bytes(batch).cpu().numpy()
        for prior in priors
        for batch in drawn_clips(model, prior, rows * columns, time, seed, device)
    ]
    clips = np.concatenate(drawn)
    return clips.reshape(2 * rows, columns, *clips.shape[1:])


def continued_grid(
    model: S3VAE, real: Clips, device: torch.device, seed: int
) -> UInt8[ndarray, "row clip later height width channel"]:
    """Return clips, dark after their end, above what the model draws after their first half."""
    video = to_unit(torch.from_numpy(real).to(device))
    rollout = to_bytes(continued(model, video, generator_at(device, seed)).rollout).cpu().numpy()
    above = np.zeros_like(rollout)
    above[:, : real.shape[1]] = real
    return np.stack([above, rollout])


def save_picture(grid: Grid, folder: Path, name: str) -> None:
    """Write a grid as `name`.png and `name`.gif.

    The frames of the GIF share one palette, without dithering, whose noise compresses badly.
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
