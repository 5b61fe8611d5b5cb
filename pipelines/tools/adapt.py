"""Print the label-free scores of swaps before and after z_f is adapted to its clip.

`python -m pipelines.tools.adapt DATASET METHOD STEPS`, in the folder of params.yaml, prints JSON:
scores on the test split before and after `STEPS` steps of gradient descent, and seconds per clip.
"""

import json
import sys
import time
from typing import Any

import numpy as np
import torch

from pipelines.cli import arguments
from pipelines.paths import Layout
from s3vae.data.clips import ClipFile
from s3vae.evaluation.codes import Codes, encode, reconstruction_error
from s3vae.evaluation.faces import face_scores
from s3vae.evaluation.label_free import MOST_PAIRS, label_free_scores, swapped_clips
from s3vae.evaluation.protocol import Scores
from s3vae.judge.predictions import video_batches
from s3vae.model.adaptation import adapt_static
from s3vae.model.s3vae import S3VAE
from s3vae.model.saved import load_s3vae
from s3vae.runtime import choose_device, keep_freed_memory


def scores(model: S3VAE, codes: Codes, clips: ClipFile, rows: np.ndarray) -> Scores:
    """Return the label-free scores of swaps and the reconstruction error."""
    frames = swapped_clips(model, codes, clips, rows)
    faces = face_scores(frames) if model.architecture.predicts == "distances" else {}
    error = reconstruction_error(model, codes, clips, rows)
    return {"reconstruction_error": error, **label_free_scores(frames), **faces}


def adaptation_scores(files: Layout, method: str, steps: int) -> dict[str, Any]:
    """Return the scores of at most `MOST_PAIRS` test clips before and after, and seconds a clip."""
    clips, device = ClipFile(files.clips), choose_device()
    model = load_s3vae(files.model(method), device)
    rows = np.sort(np.random.default_rng(0).permutation(clips.split("test"))[:MOST_PAIRS])
    codes = encode(model, clips, rows, device)
    start = time.perf_counter()
    adapted = torch.cat(
        [
            adapt_static(model, video(), *pair, steps)
            for video, pair in zip(video_batches(clips, rows, device), codes.batches(), strict=True)
        ]
    )
    seconds = (time.perf_counter() - start) / len(rows)
    return {
        "seconds_per_clip": seconds,
        "before": scores(model, codes, clips, rows),
        "after": scores(model, Codes(adapted, codes.dynamic), clips, rows),
    }


if __name__ == "__main__":
    keep_freed_memory()
    dataset, chosen, count = arguments("dataset", "method", "steps")
    if not count.isdigit():
        sys.exit(f"STEPS must be a number of steps, such as 100, not {count!r}")
    result = adaptation_scores(Layout(dataset), chosen, int(count))
    sys.stdout.write(json.dumps(result, indent=1) + "\n")
