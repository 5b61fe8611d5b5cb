"""Print the label-free scores of swaps before and after the model is adapted to each appearance.

`python -m pipelines.tools.adapt DATASET METHOD STEPS`, in the folder of params.yaml, prints JSON:
scores on the test split before and after `STEPS` steps of gradient descent, and seconds per clip.
"""

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from numpy import ndarray

from pipelines.cli import arguments
from pipelines.paths import Layout
from s3vae.data.clips import ClipFile
from s3vae.evaluation.codes import Codes, encode
from s3vae.evaluation.faces import face_scores
from s3vae.evaluation.label_free import MOST_PAIRS, Compared, fixed_donors, label_free_scores
from s3vae.evaluation.pictures import Clips, decode
from s3vae.evaluation.protocol import Scores
from s3vae.model.adaptation import adapted
from s3vae.model.s3vae import S3VAE
from s3vae.model.saved import load_s3vae
from s3vae.runtime import choose_device, keep_freed_memory


def scores(models: Sequence[S3VAE], codes: Codes, real: Clips, identity: ndarray) -> Scores:
    """Return the scores of swaps and reconstructions, by the model of the clip that lends z_f."""
    donors = fixed_donors(identity)

    def decoded(static: Int[ndarray, " swap"], dynamic: Int[ndarray, " swap"]) -> Clips:
        pairs = zip(static.tolist(), dynamic.tolist(), strict=True)
        each = [
            decode(models[i], Codes(codes.static[i : i + 1], codes.dynamic[k : k + 1]))
            for i, k in pairs
        ]
        return np.concatenate(each)

    own = np.arange(len(real))
    frames = Compared(decoded(donors.static, donors.dynamic), decoded(own, own), real, donors)
    faces = face_scores(frames) if models[0].architecture.predicts == "distances" else {}
    errors = np.square((frames.reconstructions.astype(np.float32) - real) / 255)
    return {"squared_error": float(errors.mean()), **label_free_scores(frames), **faces}


def adaptation_scores(files: Layout, method: str, steps: int) -> dict[str, Any]:
    """Return the scores of at most `MOST_PAIRS` test clips before and after, and seconds a clip."""
    clips, device = ClipFile(files.clips), choose_device()
    model = load_s3vae(files.model(method), device)
    rows = np.sort(np.random.default_rng(0).permutation(clips.split("test"))[:MOST_PAIRS])
    codes, real = encode(model, clips, rows, device), clips.frames(rows)
    start = time.perf_counter()
    frames = torch.from_numpy(real).to(device)
    known = zip(frames, codes.static, codes.dynamic, strict=True)
    models = [adapted(model, [each], range(steps)) for each in known]
    seconds = (time.perf_counter() - start) / len(rows)
    identity = clips.identity[rows]
    return {
        "seconds_per_clip": seconds,
        "before": scores([model] * len(rows), codes, real, identity),
        "after": scores(models, codes, real, identity),
    }


if __name__ == "__main__":
    keep_freed_memory()
    dataset, chosen, count = arguments("dataset", "method", "steps")
    if not count.isdigit():
        sys.exit(f"STEPS must be a number of steps, such as 200, not {count!r}")
    result = adaptation_scores(Layout(dataset), chosen, int(count))
    sys.stdout.write(json.dumps(result, indent=1) + "\n")
