"""The judge's predictions on disk: every judged score of the protocol follows from them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy import ndarray

from s3vae.evaluation.protocol import Draws, RealClips
from s3vae.files import replacing
from s3vae.judge.predictions import Predictions


def prediction_arrays(
    real: RealClips, reconstruction: Predictions, draws: Mapping[int, Draws]
) -> dict[str, ndarray]:
    """Return arrays with a row per clip, named `label FACTOR` and `KIND FACTOR`.

    KIND is `real`, `reconstruction`, or with the sampling seed `appearance 0`, `motion 0`,
    `swap 0`. `donor 0` has the index of the clip that donated the motion of each swapped clip.
    """
    kinds = {"real": real.predictions, "reconstruction": reconstruction}
    arrays: dict[str, ndarray] = {f"label {name}": row for name, row in real.labels.items()}
    for seed, each in draws.items():
        kinds |= {
            f"appearance {seed}": each.appearance,
            f"motion {seed}": each.motion,
            f"swap {seed}": each.swap,
        }
        arrays[f"donor {seed}"] = each.donors
    for kind, predictions in kinds.items():
        arrays |= {f"{kind} {name}": p.astype(np.float32) for name, p in predictions.items()}
    return arrays


def write_predictions(path: Path, arrays: Mapping[str, ndarray]) -> None:
    """Write a NumPy archive; the same arrays give the same bytes."""
    with replacing(path) as aside:
        np.savez_compressed(aside, allow_pickle=False, **arrays)
