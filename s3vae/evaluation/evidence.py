"""The judge's probabilities on disk: all that any score of the protocol is computed from."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy import ndarray

from s3vae.evaluation.protocol import Draws, Subject
from s3vae.files import replacing
from s3vae.judge.predictions import Judged


def evidence(
    subject: Subject, reconstruction: Judged, draws: Mapping[int, Draws]
) -> dict[str, ndarray]:
    """Arrays by name: `label NAME` and `WHAT NAME`, a row per test clip, for every factor NAME.

    WHAT is `real`, `reconstruction`, or with the seed of the sampling `appearance 0`, `motion 0`,
    `swap 0`; `donor 0` has the row of the clip whose motion each clip of the swap was given.
    """
    judged = {"real": subject.on_real, "reconstruction": reconstruction}
    arrays: dict[str, ndarray] = {f"label {name}": of for name, of in subject.labels.items()}
    for seed, each in draws.items():
        judged |= {
            f"appearance {seed}": each.appearance,
            f"motion {seed}": each.motion,
            f"swap {seed}": each.swap,
        }
        arrays[f"donor {seed}"] = each.motion_of
    for what, answers in judged.items():
        arrays |= {f"{what} {name}": of.astype(np.float32) for name, of in answers.items()}
    return arrays


def write_evidence(path: Path, arrays: Mapping[str, ndarray]) -> None:
    """Write a NumPy archive; the same arrays give the same bytes."""
    with replacing(path) as aside:
        np.savez_compressed(aside, allow_pickle=False, **arrays)
