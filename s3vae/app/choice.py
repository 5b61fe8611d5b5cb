"""The model of the zoo that fits some videos."""

from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from s3vae.app.config import ZOO, read_config, zoo_names
from s3vae.app.load import load
from s3vae.app.model import VideoModel
from s3vae.app.recording import times_of, whole_frames
from s3vae.data.crops import FRAMES_TO_DETECT_IN, Crop, detect_face
from s3vae.progress import LOG

WITHOUT_VIDEOS = "sprites"


def choose_model(
    videos: Sequence[Path], device: str | None = None, crop: Crop | None = None
) -> VideoModel:
    """Load the model that reconstructs the beginnings of the videos with the smallest error.

    If dlib finds a face in every video, only models of faces are candidates, otherwise only others;
    so too with another crop than `face`. The choice is logged. Raises ValueError if there is no
    candidate.
    """
    if not videos:
        LOG.info("model: %s (`--model` names another one)", WITHOUT_VIDEOS)
        return load(WITHOUT_VIDEOS, device)
    sought = crop in (None, "face")
    face = sought and all(_shows_face(video) for video in videos)
    names = [name for name in zoo_names() if (_crop(name) == "face") == face]
    if not names:
        raise ValueError("no model of the zoo fits these videos: name one by --model")
    models = [load(name, device) for name in names]
    errors = [max(_error(model, video) for video in videos) for model in models]
    best = int(np.argmin(errors))
    without_dlib = sought and not find_spec("dlib")
    reason = "faces" if face else "no dlib for faces" if without_dlib else "no face in every video"
    listed = ", ".join(f"{n} {e:.4f}" for n, e in zip(names, errors, strict=True))
    LOG.info("model: %s (%s; squared error per pixel: %s)", names[best], reason, listed)
    return models[best]


def _crop(name: str) -> str:
    return str(read_config(ZOO / name)["clips"]["crop"])


def _shows_face(video: Path) -> bool:
    """Return whether one of a few frames shows a face; without dlib none does."""
    times = times_of(video)
    chosen = set(np.linspace(0, len(times) - 1, FRAMES_TO_DETECT_IN).round().astype(int).tolist())
    frames = (each for index, each in enumerate(whole_frames(video)) if index in chosen)
    try:
        return any(detect_face(frame) is not None for frame in frames)
    except ImportError:
        return False


def _error(model: VideoModel, video: Path) -> float:
    recording = model.open(video)
    first = replace(recording, taken=recording.taken[: model.preparation.time])
    return model.error(model.encode(first), first)
