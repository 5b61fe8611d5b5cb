"""The error that a trained model usually makes, by which videos of another kind are noticed."""

import math

from s3vae.data.clips import ClipFile
from s3vae.engine.checkpoint import History

VAL = "val_reconstruction"
PIXELS = 64 * 64
"""Errors of a training are per frame of so many pixels, whatever the size (losses/elbo.py)."""
MOST_OF_TRAIN = 10
"""Clips of known appearances have 0.8 to 8 times the error of train clips, an unknown face 450."""


def usual_error(history: History, clips: ClipFile) -> float | None:
    """Return the last squared error of validation clips per pixel, if it is finite.

    They may show appearances that training never showed, which the model does not know: so it is at
    most MOST_OF_TRAIN times that of train clips. Both are of codes drawn from the posterior.
    """
    errors = [(row["reconstruction"], row[VAL]) for row in history if VAL in row]
    if not errors or not all(map(math.isfinite, errors[-1])):
        return None
    train, val = errors[-1]
    return float(min(val, MOST_OF_TRAIN * train) / (clips.time * PIXELS * clips.shape[-1]))
