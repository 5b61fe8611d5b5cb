"""Which data sets of videos are close-ups of faces although their config crops the centre."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipelines.params import read_pipeline, section
from s3vae.data.crops import centre, detect_face
from s3vae.data.datasets import DataSet
from s3vae.data.media import find_footage, frames_of
from s3vae.data.videos import Videos

LOOKED_AT = 8
"""Videos of a data set, of which the first frame is looked at."""
CLOSE_UP = 0.3
"""The least width of a face with its surroundings, relative to that of the crop."""


def close_ups() -> Iterator[str]:
    """Yield the data sets of videos in most of which a face takes a large part of the crop.

    Raises ParamsError, and ImportError without dlib.
    """
    for name, source in read_pipeline().datasets.items():
        settings: Any = section(DataSet, name, "data")  # type: ignore[arg-type]
        if isinstance(settings, Videos) and settings.crop == "centre":
            videos = find_footage(Path(source))[:LOOKED_AT]
            if 2 * sum(map(shows_face_up_close, videos)) > len(videos):
                yield name


def shows_face_up_close(video: Path) -> bool:
    """Return whether the first frame of a video does; False for one that cannot be read."""
    try:
        frame = next(iter(frames_of(video)))
    except (OSError, ValueError, StopIteration):
        return False
    face = detect_face(frame)
    return face is not None and face.width >= CLOSE_UP * centre(frame).width
