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
    """Load the model that knows the videos best.

    That is the one whose error on their beginnings is the smallest multiple of that on its own test
    clips. If dlib finds a face in every video, only models of faces are candidates, otherwise only
    others; so too with another crop than `face`. The choice is logged. Raises ValueError if there
    is no candidate.
    """
    if not videos:
        LOG.info("model: %s (`--model` names another one)", WITHOUT_VIDEOS)
        return load(WITHOUT_VIDEOS, device)
    reason = _reason_against_faces(videos, crop)
    names = [name for name in zoo_names() if _is_of_faces(name) == (not reason)]
    if not names:
        raise ValueError("no model of the zoo fits these videos: name one by --model")
    models = [load(name, device) for name in names]
    errors = [max(_error(model, video) for video in videos) for model in models]
    best = int(np.argmin(errors))
    listed = ", ".join(f"{n} {e:.3g}" for n, e in zip(names, errors, strict=True))
    error = "squared error, in multiples of that on its test clips"
    LOG.info("model: %s (%s; %s: %s)", names[best], reason or "faces", error, listed)
    return models[best]


def _reason_against_faces(videos: Sequence[Path], crop: Crop | None) -> str:
    """Return why models of faces are no candidates, empty if they are."""
    if crop not in (None, "face"):
        return f"--crop {crop}"
    if not find_spec("dlib"):
        return "no dlib for faces"
    return next((f"no face in {video}" for video in videos if not _shows_face(video)), "")


def _is_of_faces(name: str) -> bool:
    return bool(read_config(ZOO / name)["architecture"]["predicts"] == "distances")


def _shows_face(video: Path) -> bool:
    """Return whether one of a few frames shows a face."""
    times = times_of(video)
    chosen = set(np.linspace(0, len(times) - 1, FRAMES_TO_DETECT_IN).round().astype(int).tolist())
    frames = (each for index, each in enumerate(whole_frames(video)) if index in chosen)
    return any(detect_face(frame) is not None for frame in frames)


def _error(model: VideoModel, video: Path) -> float:
    recording = model.open(video)
    first = replace(recording, taken=recording.taken[: model.preparation.time])
    return model.error(model.encode(first), first) / (model.preparation.error_per_pixel or 1)
