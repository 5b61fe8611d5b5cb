"""The scores of a version, computed again from the model in the store alone."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.dvc_lock import measured_on, stages
from pipelines.params import Chosen, section
from pipelines.paths import Layout
from pipelines.retraining.gate import Scores
from pipelines.retraining.versions import CONDITIONS, SCORED, Registry, RegistryError, scores_of
from s3vae.data.clips import ClipFile
from s3vae.evaluation.evaluate import real_clips, score
from s3vae.evaluation.settings import EvaluationSettings
from s3vae.judge.saved import load_judge
from s3vae.runtime import choose_device

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

TOLERANCE = 1e-6
"""The largest difference of equal scores: threads add numbers in different orders."""


def verified_scores(name: str) -> Iterator[str]:
    """Yield a line for every score of the champion, as registered and as computed now.

    The clips and the judge are those of the pipeline in this folder. Raises RegistryError if there
    is no champion or a score differs.
    """
    version = Registry().champion(name)
    if version is None:
        lists = "python -m pipelines.retraining.registry lists all models"
        raise RegistryError(f"{name} has no champion: {lists}")
    if not any(score is not None for score in scores_of(version).values()):
        raise RegistryError(f"{name} version {version.version} was registered without scores")
    current, different = compute_scores(version), []
    for column, expected in scores_of(version).items():
        if expected is None:
            continue
        value = current[column]
        if value is None or abs(value - expected) > TOLERANCE:
            different.append(column)
        now = "not scored" if value is None else f"{value:.6f}"
        yield f"{column:20} registered {expected:.6f}  now {now}"
    if different:
        msg = f"{name} version {version.version} does not give its {', '.join(different)}"
        chosen = Chosen(version.tags["dataset"], version.tags["method"])
        if measured_on(stages(Path()), chosen) != version.tags.get(CONDITIONS):
            msg += ": they were measured on other clips, by another judge or with other settings"
        raise RegistryError(msg)
    yield f"{name} version {version.version} gives the scores that it was registered with."


def compute_scores(version: "ModelVersion") -> Scores:
    """Load a version from the store and score it on the current clips with the current judge."""
    import mlflow

    mlflow.set_tracking_uri(Registry().store.uri)
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    served = mlflow.pyfunc.load_model(f"models:/{version.name}/{version.version}")
    files, device = Layout(version.tags["dataset"]), choose_device()
    settings = section(EvaluationSettings, files.dataset, "evaluation")
    clips, judge = ClipFile(files.clips), load_judge(files.judge, device)
    real = real_clips(judge, clips, settings, device)
    model = served.unwrap_python_model().model
    scores, _ = score(model, judge, clips, real, settings, device)
    return {name: scores[name] for name in SCORED}
