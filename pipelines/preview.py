"""A picture of swaps while a model trains, so that a useless training is seen early."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from pipelines.tracking.mlflow_run import Tracked
from s3vae.data.clips import ClipFile
from s3vae.engine.fit import Report
from s3vae.evaluation.codes import encode
from s3vae.evaluation.pictures import swap_grid, varied_clips
from s3vae.files import replacing
from s3vae.model.s3vae import S3VAE
from s3vae.progress import LOG
from s3vae.tiles import still

SECONDS, CLIPS = 120.0, 4


def with_preview(tracker: Tracked, model: Any, clips: ClipFile, path: Path) -> Report:
    """Return a report that also writes swaps of validation clips to `path` every two minutes.

    The picture is logged to MLflow as well. This changes neither the model nor its random numbers.
    A model that encodes no clips has no swaps, so its rows are only logged.
    """
    if not isinstance(model, S3VAE):
        return tracker.log
    chosen = varied_clips(clips, CLIPS, seed=0, split="val")
    last = time.monotonic()

    def report(row: Mapping[str, float]) -> None:
        nonlocal last
        tracker.log(row)
        if time.monotonic() - last >= SECONDS:
            save_swaps(model, clips, chosen, path)
            LOG.info("swaps so far: %s", path)
            tracker.file(path, "preview")
            last = time.monotonic()

    return report


def save_swaps(model: S3VAE, clips: ClipFile, chosen: Any, path: Path) -> None:
    """Write the swaps of these clips as one picture, with the model in eval mode."""
    training, device = model.training, next(model.parameters()).device
    model.eval()
    swaps = swap_grid(model, encode(model, clips, chosen, device), clips.frames(chosen))
    model.train(training)
    with replacing(path) as aside:
        Image.fromarray(still(swaps)).save(aside, format="png")
