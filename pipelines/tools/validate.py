"""Print the scores of a trained model on the validation split, for the choice of settings.

`python -m pipelines.tools.validate DATASET METHOD`, in the folder of params.yaml, prints JSON.
"""

import json
import sys

from pipelines.cli import arguments
from pipelines.params import section
from pipelines.paths import Layout
from s3vae.baselines.saved import load_model
from s3vae.data.clips import ClipFile
from s3vae.evaluation.evaluate import judged_clips, score
from s3vae.evaluation.settings import EvaluationSettings
from s3vae.judge.saved import load_judge
from s3vae.runtime import choose_device, keep_freed_memory


def validation_scores(
    files: Layout, method: str, settings: EvaluationSettings
) -> dict[str, float | None]:
    """Return every score on the validation split; those that need a judge if it is accurate."""
    clips, device = ClipFile(files.clips), choose_device()
    model, judge = load_model(files.model(method), device), load_judge(files.judge, device)
    real, _ = judged_clips(judge, clips, settings, device, "val")
    return score(model, judge, clips, real, settings, device, split="val")[0]


if __name__ == "__main__":
    keep_freed_memory()
    dataset, chosen = arguments("dataset", "method")
    settings = section(EvaluationSettings, dataset, "evaluation")
    scores = validation_scores(Layout(dataset), chosen, settings)
    sys.stdout.write(json.dumps(scores, indent=1) + "\n")
