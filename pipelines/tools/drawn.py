"""Print how clear, diverse and real drawn clips are, for N(0, I) and for the learned prior.

`python -m pipelines.tools.drawn DATASET METHOD SPLIT`, in the folder of params.yaml, prints JSON: a
mean over the sampling seeds. A model that was trained before there was a learned prior gets one.
"""

import json
import sys
from typing import get_args

import numpy as np

from pipelines.cli import arguments
from pipelines.params import section
from pipelines.paths import Layout
from s3vae.data.clips import ClipFile, Split
from s3vae.engine.batches import ClipBatches
from s3vae.evaluation.generation import generation_scores
from s3vae.evaluation.settings import EvaluationSettings
from s3vae.judge.network import load_judge
from s3vae.model.saved import load_s3vae
from s3vae.runtime import choose_device, keep_freed_memory
from s3vae.training.static_prior import learn_static_prior


def scores_of_drawn_clips(
    files: Layout, method: str, split: Split, settings: EvaluationSettings
) -> dict[str, dict[str, float]]:
    """Return the mean scores over the sampling seeds by prior, and those of real clips."""
    clips, device = ClipFile(files.clips), choose_device()
    model, judge = load_s3vae(files.model(method), device), load_judge(files.judge, device)
    learn_static_prior(model, ClipBatches(clips, {}), device)
    runs = [
        generation_scores(model, judge, clips, split, seed, device)
        for seed in settings.sampling_seeds
    ]
    return {
        prior: {name: float(np.mean([run[prior][name] for run in runs])) for name in scores}
        for prior, scores in runs[0].items()
    }


if __name__ == "__main__":
    keep_freed_memory()
    dataset, chosen, part = arguments("dataset", "method", "split")
    if part not in get_args(Split):
        sys.exit(f"SPLIT must be one of {', '.join(get_args(Split))}, not {part!r}")
    settings = section(EvaluationSettings, dataset, "evaluation")
    result = scores_of_drawn_clips(Layout(dataset), chosen, part, settings)  # type: ignore[arg-type]
    sys.stdout.write(json.dumps(result, indent=1) + "\n")
