"""Videos of a kind that training never showed: a warning, and a model adapted to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from s3vae.app.codes import Codes
from s3vae.app.recording import Recording
from s3vae.model.adaptation import adapted
from s3vae.model.s3vae import S3VAE
from s3vae.progress import LOG, Progress

if TYPE_CHECKING:
    from s3vae.app.model import VideoModel

STRANGER = (
    "%s differs from what the model was trained on (squared error per pixel %.4f, usually %.4f), "
    "so %s: a model trained on videos of its kind does better"
)
ADAPTATION_STEPS = 200
"""Steps for each appearance that training never showed, if none are named."""


@dataclass(frozen=True)
class EncodedVideo:
    """A video as a model takes it, its codes, and what messages call it."""

    name: str
    recording: Recording
    codes: Codes


def adapted_if_strange(
    model: "VideoModel", videos: Sequence[EncodedVideo], steps: int | None
) -> "VideoModel":
    """Return the model, adapted to the appearances of all videos if it knows one of them badly.

    By default, with `steps` None, if it can be adapted. A number of steps adapts it in any case; 0
    never does. Videos that the model knows badly are logged. Raises ValueError if steps are named
    for a model that cannot be adapted.
    """
    if steps and not model.adaptable:
        decoder = model.model.architecture.decoder
        raise ValueError(f"--adapt needs a warped or layered decoder, not {decoder}: leave it out")
    chosen = steps
    if chosen is None:
        chosen = ADAPTATION_STEPS if model.adaptable else 0
    consequence = (
        "the model is adapted to it"
        if chosen
        else "it is shown as the most similar appearance that the model knows"
    )
    strange = [warn_if_strange(model, video, consequence) for video in videos]
    if not chosen or not (any(strange) or steps):
        return model
    name = Path(videos[0].name).name if len(videos) == 1 else f"{len(videos)} videos"
    return model.adapted(videos, chosen, f"adapt to {name}")


def warn_if_strange(
    model: "VideoModel", video: EncodedVideo, consequence: str = "its codes may say little"
) -> bool:
    """Return whether the model describes a video much worse than what it knows, and say so."""
    error = model.error(video.codes, video.recording)
    if strange := model.is_strange(error):
        LOG.warning(STRANGER, video.name, error, model.preparation.error_per_pixel, consequence)
    return strange


def fitted(
    model: S3VAE, videos: Sequence[EncodedVideo], most: Sequence[int], steps: int, label: str
) -> S3VAE:
    """Return a network adapted to the first frames of each video, at most those that `most` says.

    By `steps` steps for each, with progress if there is a label.
    """
    device = next(model.parameters()).device
    clips = []
    for video, count in zip(videos, most, strict=True):
        frames = np.stack([*islice(video.recording.frames(), count)])
        arrays = frames, video.codes.static, video.codes.dynamic[: len(frames)]
        clip, static, dynamic = (torch.from_numpy(each).to(device) for each in arrays)
        clips.append((clip, static, dynamic))
    total = steps * len(clips)
    with Progress(label, total, "steps", visible=bool(label)) as progress:
        return adapted(model, clips, progress.counting(range(total)))
