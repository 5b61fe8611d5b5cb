"""Scores of a trained model on the validation split: what settings are chosen by.

`python -m pipelines.tools.validate DATASET METHOD`, in the folder of params.yaml, prints JSON.
"""

import json
import sys

from pipelines.cli import arguments
from pipelines.params import section
from pipelines.paths import Layout
from pipelines.stages.evaluate import score, trusted_subject
from s3vae.baselines.saved import load_model
from s3vae.data.clips import ClipFile
from s3vae.evaluation.settings import EvaluationSettings
from s3vae.judge.network import load_judge
from s3vae.runtime import choose_device, keep_freed_memory


def validation_scores(
    files: Layout, method: str, settings: EvaluationSettings
) -> dict[str, float | None]:
    """Every score of the protocol on the validation split, where the judge is to be trusted."""
    clips, device = ClipFile(files.clips), choose_device()
    model, judge = load_model(files.model(method), device), load_judge(files.judge, device)
    subject = trusted_subject(judge, clips, settings, device, "val")
    return score(model, judge, clips, subject, settings, device, split="val")[0]


if __name__ == "__main__":
    keep_freed_memory()
    dataset, chosen = arguments("dataset", "method")
    asked = section(EvaluationSettings, dataset, "evaluation")
    scores = validation_scores(Layout(dataset), chosen, asked)
    sys.stdout.write(json.dumps(scores, indent=1) + "\n")
