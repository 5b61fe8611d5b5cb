"""Films on disk: H.264 with the sound of a video, GIF, WebP, or a picture of some frames."""

import heapq
import math
import os
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float64, UInt8
from numpy import ndarray
from PIL import Image

from s3vae.app.recording import PICTURES_PER_SECOND, Frame, Frames, require_frames, whole_frames
from s3vae.app.sound import sound_of
from s3vae.files import replacing

Picture = UInt8[ndarray, "tall wide 3"]
SUFFIXES = (".mp4", ".gif", ".webp", ".png")
TICKS = 90_000
"""Units of time in a second of an MP4 file, of which all usual frame rates are multiples."""
RATES = (0.1, 1000.0)
"""The least and the most frames per second that films are written with."""
QUALITY = {"crf": "18", "preset": "medium", "bf": "0"}
"""Without frames that refer to later ones, packets are in the order in which they are shown."""
LEAST_SIDE = 256
"""Frames with a shorter side are enlarged by a whole factor to reach it."""
STILLS = 8
"""Frames in a picture of a film."""
WIDEST = 2200
"""Pixels of a picture beyond which the next frame begins a new row."""
LARGEST = {".mp4": 16_384, ".webp": 16_383, ".gif": 65_535}
"""By format: the longest side that frames can have, in pixels."""
COUNTED = {".gif": (100, 2), ".webp": (1000, 11)}
"""By format: the units of time in a second, and the least that players show a frame for."""
LONGEST_NAME = 240
"""Bytes of a file's name that leave room for the name of the temporary folder beside it."""


class OutputError(ValueError):
    """A path that nothing can be written to."""


def require_writable(path: Path, suffixes: tuple[str, ...], *, force: bool) -> None:
    """Raise OutputError for an unknown suffix, a missing folder or, unless forced, a file."""
    if path.suffix.lower() not in suffixes:
        raise OutputError(f"{path} must end in {', '.join(suffixes)}")
    require_folder(path.parent)
    if path.is_dir():
        raise OutputError(f"{path} is a folder: name a file")
    require_new(path, force=force)


def require_folder(folder: Path) -> None:
    """Raise OutputError unless files can be written to a folder."""
    if not folder.is_dir():
        raise OutputError(f"the folder {folder} does not exist: create it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"the folder {folder} may not be written to: choose another one")


def require_new(path: Path, *, force: bool) -> None:
    """Raise OutputError for a name that is too long, and, unless forced, for a path that exists.

    A link to nothing exists.
    """
    if len(os.fsencode(path.name)) > LONGEST_NAME:
        raise OutputError(f"{path.name} is longer than {LONGEST_NAME} bytes: choose a shorter name")
    if (path.exists() or path.is_symlink()) and not force:
        raise OutputError(f"{path} exists: choose another name, or replace it by --force")


def write_film(
    path: Path,
    frames: Iterable[Frame],
    times: Float64[ndarray, " frame"],
    sound: Path | None = None,
    *,
    force: bool = False,
) -> None:
    """Write frames, each shown from its time (seconds) on, as the suffix of `path` says.

    The sound of the video `sound`, if any, accompanies an MP4. The file is written completely or
    not at all. Raises OutputError.
    """
    require_writable(path, SUFFIXES, force=force)
    with replacing(path) as aside:
        frames = _frames_that_fit(path.suffix.lower(), frames)
        if path.suffix.lower() == ".mp4":
            _mp4(aside, frames, times, sound)
        elif path.suffix.lower() == ".png":
            _stills(aside, frames, times)
        else:
            _animation(aside, frames, times)
        require_writable(path, SUFFIXES, force=force)  # another process may have written it


def save(frames: Frames, path: str | Path, fps: float = PICTURES_PER_SECOND) -> None:
    """Write the frames of a clip at their own size, as the suffix of `path` says.

    Replaces a file of this name. Raises OutputError, or ValueError if these are no frames or `fps`
    is no frame rate.
    """
    require_frames(frames)
    if not len(frames):
        raise ValueError("there are no frames to write")
    if not RATES[0] <= fps <= RATES[1]:
        raise ValueError(f"fps is {fps:g}, but must be from {RATES[0]:g} to {RATES[1]:g}")
    write_film(Path(path), whole_frames(frames), np.arange(len(frames)) / fps, force=True)


def enlarged(frame: Frame, side: int | None = None) -> Picture:
    """Return an RGB frame whose shorter side is `side`, by default LEAST_SIDE or a bit more."""
    rgb = np.repeat(frame, 3, axis=-1) if frame.shape[-1] == 1 else frame
    height, width = frame.shape[:2]
    shorter = min(height, width)
    factor = -(-LEAST_SIDE // shorter) if side is None else side / shorter
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    shape = round(width * factor), round(height * factor)
    resized: ndarray = cv2.resize(rgb, shape, interpolation=method)
    return resized


def durations_of(times: Float64[ndarray, " frame"]) -> Float64[ndarray, " frame"]:
    """Return how long each frame is shown, in seconds: the last one as long as that before it."""
    if len(times) == 1:
        return np.ones(1)
    between = np.diff(times)
    return np.append(between, between[-1])


def _frames_that_fit(suffix: str, frames: Iterable[Frame]) -> Iterator[Frame]:
    """Yield frames; raises OutputError if they are larger than a format can have."""
    for frame in frames:
        height, width = frame.shape[:2]
        if max(height, width) > LARGEST.get(suffix, math.inf):
            raise OutputError(
                f"{width}x{height} pixels are more than {suffix} can have ({LARGEST[suffix]} a "
                "side): choose a smaller size"
            )
        yield frame


def _mp4(path: Path, frames: Iterator[Frame], times: ndarray, sound: Path | None) -> None:
    """Write H.264 of pixel format yuv420p, which browsers play, and sound as AAC."""
    import av

    first = next(frames)
    durations = durations_of(times)
    heard = sound_of(sound, until=float(times[-1] + durations[-1]))
    opening = next(heard, None)
    # absolute: of a relative path FFmpeg reads what precedes a colon as a protocol
    with av.open(str(path.absolute()), "w", options={"movflags": "faststart"}) as output:
        video = output.add_stream("libx264", options=QUALITY)
        video.height, video.width = (side + side % 2 for side in first.shape[:2])
        video.pix_fmt, video.time_base = "yuv420p", Fraction(1, TICKS)
        video.codec_context.time_base = video.time_base
        video.codec_context.thread_count = 1  # for equal bytes
        shown = _pictures(chain([first], frames), times, durations)
        parts, streams = [((each, video) for each in shown)], [video]
        if opening is not None:
            voice = output.add_stream("aac", rate=opening.sample_rate, layout=opening.layout.name)
            parts.append((each, voice) for each in chain([opening], heard))
            streams.append(voice)
        for each, stream in heapq.merge(*parts, key=lambda part: part[0].time):
            output.mux(stream.encode(each))
        for stream in streams:
            output.mux(_with_duration(stream.encode(), video, float(durations[-1])))


def _with_duration(packets: list[Any], video: Any, last: float) -> list[Any]:
    """Set how long the last of the last packets of pictures is shown; the encoder ignores it."""
    if pictures := [each for each in packets if each.stream is video]:
        pictures[-1].duration = round(last * TICKS)
    return packets


def _pictures(frames: Iterable[Frame], times: ndarray, durations: ndarray) -> Iterator[Any]:
    """Yield frames as PyAV takes them, of even height and width, with their times."""
    import av

    for frame, time, duration in zip(frames, times, durations, strict=True):
        odd = ((0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0))
        picture = av.VideoFrame.from_ndarray(np.pad(frame, odd, "edge"), format="rgb24")
        picture.pts, picture.time_base = round(time * TICKS), Fraction(1, TICKS)
        picture.duration = round(duration * TICKS)
        yield picture


def _animation(path: Path, frames: Iterator[Frame], times: ndarray) -> None:
    """Write a GIF or a WebP that repeats, without frames that players cannot show so briefly."""
    per_second, least = COUNTED[path.suffix.lower()]
    ends = np.append(times, times[-1] + durations_of(times)[-1])
    ticks = np.round(per_second * ends).astype(int).tolist()
    shown = [0]
    for index, tick in enumerate(ticks):
        if tick - ticks[shown[-1]] >= least and ticks[-1] - tick >= least:
            shown.append(index)
    starts = [ticks[index] for index in shown]
    milliseconds = np.diff([*starts, max(ticks[-1], least)]) * 1000 // per_second
    chosen = {*shown}
    pictures = (Image.fromarray(each) for index, each in enumerate(frames) if index in chosen)
    options: Any = {"lossless": True} if path.suffix.lower() == ".webp" else {}
    options |= {"duration": milliseconds.tolist(), "loop": 0}
    next(pictures).save(path, save_all=True, append_images=pictures, **options)


def _stills(path: Path, frames: Iterable[Frame], times: ndarray) -> None:
    """Write evenly spaced frames side by side, in several rows if they are wide."""
    chosen = set(np.linspace(0, len(times) - 1, STILLS).round().astype(int).tolist())
    stills = [frame for index, frame in enumerate(frames) if index in chosen]
    columns = min(len(stills), max(1, WIDEST // stills[0].shape[1]))
    stills += [np.zeros_like(stills[0])] * (-len(stills) % columns)
    rows = [np.concatenate(stills[i : i + columns], 1) for i in range(0, len(stills), columns)]
    Image.fromarray(np.concatenate(rows)).save(path, optimize=True)
