"""What the command `s3vae` does: one function per command, named as it is with a final `_`.

PyTorch, which takes a second to import, is imported when a model is needed.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from s3vae.app.config import CARD, WEIGHTS, ZOO, read_config, zoo_names
from s3vae.app.film import LEAST_SIDE, SUFFIXES, enlarged, require_writable, write_film
from s3vae.app.paste import pasted
from s3vae.app.recording import PICTURES_PER_SECOND, Frame, require_videos
from s3vae.files import replacing
from s3vae.progress import LOG, Progress
from s3vae.tiles import Grid, film

if TYPE_CHECKING:
    from s3vae.app.model import VideoModel, Which
    from s3vae.app.strangers import EncodedVideo

CODES = (".npz",)
MOST_DRAWN = 50_000
"""Frames of drawn clips, which are in memory at once."""
MOST_TRAVERSED = 300
"""Frames of a traversal, which holds many films in memory at once."""


def swap_(
    appearance: Path, motion: Path, output: Path, paste: bool, adapt: int | None, **options: Any
) -> None:
    """Write the motion of one video with the appearance of another, with the motion's sound."""
    if paste and (options["size"] or options["fps"]):
        raise ValueError("--paste keeps size and rate of MOTION: leave out --size and --fps")
    model = _prepared(output, [appearance, motion], options)
    from s3vae.app.strangers import adapted_if_strange, warn_if_strange

    lending, moving = _encoded(model, appearance), _encoded(model, motion)
    warn_if_strange(model, moving, "its motion may be another one")
    model = adapted_if_strange(model, [lending], adapt)
    times = moving.recording.at_rate(options["fps"])
    codes = replace(moving.codes.at(times), static=lending.codes.static)
    frames: Iterable[Frame] = model.frames(codes)
    if paste:
        frames = pasted(frames, moving.recording)
    else:
        frames = (enlarged(frame, options["size"]) for frame in frames)
    _write(output, frames, codes.times, motion, options["force"])


def encode_(videos: Sequence[Path], output: Path, **options: Any) -> None:
    """Write the codes of videos as `static` [video, dim], and z_t and times of each."""
    model = _prepared(output, videos, options, CODES)
    from s3vae.app.strangers import EncodedVideo, warn_if_strange

    codes = []
    with Progress("encode", len(videos), "videos") as progress:
        for video in videos:
            recording = model.open(video)
            found, rate = model.encode(recording), options["fps"]
            warn_if_strange(model, EncodedVideo(str(video), recording, found))
            codes.append(found.at(recording.at_rate(rate)) if rate else found)
            progress.advance(note=str(video))
    arrays: dict[str, Any] = {
        "videos": np.array([str(video) for video in videos]),
        "static": np.stack([each.static for each in codes]),
    }
    for index, each in enumerate(codes):
        arrays |= {f"dynamic_{index}": each.dynamic, f"times_{index}": each.times}
    with replacing(output) as aside:
        np.savez(aside, **arrays)
        require_writable(output, CODES, force=options["force"])  # another process may have written
    LOG.info("%s: the codes of %d videos", output, len(videos))


def generate_(number: int, seconds: float, output: Path, **options: Any) -> None:
    """Write drawn clips side by side."""
    rate = options["fps"] or PICTURES_PER_SECOND
    times = np.arange(max(round(seconds * rate), 1)) / rate
    if number * len(times) > MOST_DRAWN:
        raise ValueError(f"{number} clips of {len(times)} frames are more than {MOST_DRAWN} in all")
    model = _prepared(output, [], options)
    count = max(int(np.ceil(seconds * PICTURES_PER_SECOND)), 1)
    codes = model.drawn(number, count, options["seed"])
    clips = np.stack([model.decode(each.at(times)) for each in codes])
    columns = int(np.ceil(np.sqrt(number)))
    grid = np.zeros((-(-number // columns), columns, *clips.shape[1:]), np.uint8)
    grid.reshape(-1, *clips.shape[1:])[:number] = clips
    _write_grid(output, grid, times, options)


def traverse_(video: Path, code: "Which", output: Path, adapt: int | None, **options: Any) -> None:
    """Write a row of films per principal direction of a code, in which it is moved step by step."""
    model = _prepared(output, [video], options)
    from s3vae.app.strangers import adapted_if_strange

    shown = _encoded(model, video)
    if adapt is None and code == "static":
        adapt = 0  # an adapted model draws other appearances badly
    model = adapted_if_strange(model, [shown], adapt)
    codes = shown.codes.at(shown.recording.at_rate(options["fps"]))
    if len(codes.times) > MOST_TRAVERSED:
        LOG.info("%s: the first %d of %d frames", video, MOST_TRAVERSED, len(codes.times))
        codes = codes.first(MOST_TRAVERSED)
    _write_grid(output, model.traverse(codes, code), codes.times, options)


def continue_(video: Path, seconds: float, output: Path, adapt: int | None, **options: Any) -> None:
    """Write a video as the model decodes it, then frames whose motion is drawn."""
    model = _prepared(output, [video], options)
    from s3vae.app.strangers import adapted_if_strange

    shown = _encoded(model, video)
    model = adapted_if_strange(model, [shown], adapt)
    codes = model.extended(shown.codes, shown.recording, seconds, options["seed"], options["fps"])
    frames = (enlarged(frame, options["size"]) for frame in model.frames(codes))
    _write(output, frames, codes.times, None, options["force"])


def models_() -> None:
    """Print the models that come with this package, with their sizes and scores."""
    for name in zoo_names():
        config = read_config(ZOO / name)
        megabytes = (ZOO / name / WEIGHTS).stat().st_size / 1e6
        print(f"{name}: {megabytes:.1f} MB, {config['facts']['source']}")
        for key, value in config["facts"]["scores"].items():
            print(f"    {value:>7}  {key}")


def inspect_(model: str) -> None:
    """Print the card of a model and the settings that it was made with."""
    import torch

    from s3vae.app.load import find_model
    from s3vae.app.package import read_package

    folder = find_model(model)
    package = read_package(folder, torch.device("cpu"))
    count = sum(each.numel() for each in package.model.parameters())
    print(f"{folder}: {count:,} parameters")
    for settings in (package.model.architecture, package.preparation):
        for key, value in dataclasses.asdict(settings).items():
            print(f"  {key}: {value}")
    if (folder / CARD).exists():
        print((folder / CARD).read_text())


def export_(model: str, output: Path, force: bool) -> None:
    """Write a model as files for onnxruntime."""
    from s3vae.app.exported import export
    from s3vae.app.load import load

    export(load(model, "cpu"), output, force=force)
    LOG.info("%s: %s", output, ", ".join(sorted(path.name for path in output.iterdir())))


def explore_(
    model: str | None,
    videos: Sequence[Path],
    output: Path | None,
    adapt: int | None,
    force: bool,
) -> None:
    """Write the page of a model and open it, or serve it if ONNX cannot express the model."""
    require_videos(videos)
    if adapt and not videos:
        raise ValueError("--adapt needs --video: name the videos to adapt to")
    if output is not None:
        require_writable(output, (".html",), force=force)
    from s3vae.app.choice import choose_model
    from s3vae.app.explorer.open import explore
    from s3vae.app.load import load

    chosen = load(model, "cpu") if model else choose_model(videos, "cpu")
    explore(chosen, videos, output, adapt)


def push_(model: str, name: str) -> None:
    """Upload a model to the Hugging Face hub."""
    from s3vae.app.hub import upload
    from s3vae.app.load import find_model

    LOG.info("%s", upload(find_model(model), name))


def _prepared(
    output: Path,
    videos: Sequence[Path],
    options: dict[str, Any],
    suffixes: tuple[str, ...] = SUFFIXES,
) -> "VideoModel":
    """Check the output before any work, and load the model that is named or that fits."""
    require_writable(output, suffixes, force=options["force"])
    require_videos(videos)
    from s3vae.app.choice import choose_model
    from s3vae.app.load import load

    named = options["model"]
    device, crop = options["device"], options["crop"]
    model = load(named, device) if named else choose_model(videos, device, crop)
    if crop:
        model.preparation = replace(model.preparation, crop=crop)
    return model


def _encoded(model: "VideoModel", video: Path) -> "EncodedVideo":
    """Encode a video, with progress."""
    from s3vae.app.strangers import EncodedVideo

    recording = model.open(video)
    return EncodedVideo(str(video), recording, model.encode(recording, f"encode {video.name}"))


def _write_grid(output: Path, grid: Grid, times: ndarray, options: dict[str, Any]) -> None:
    """Write clips in rows and columns, enlarged as a whole, a single one more than several."""
    side = LEAST_SIDE if grid.shape[:2] == (1, 1) else LEAST_SIDE // 2
    factor = (options["size"] or side) / min(grid.shape[3:5])
    frames = (enlarged(frame, round(factor * min(frame.shape[:2]))) for frame in film(grid))
    _write(output, frames, times, None, options["force"])


def _write(
    output: Path, frames: Iterable[Frame], times: ndarray, sound: Path | None, force: bool
) -> None:
    """Write a film with progress."""
    with Progress(f"write {output.name}", len(times), "frames") as progress:
        write_film(output, progress.counting(frames), times, sound, force=force)
