"""Whether a champion, loaded from the store alone, gives the scores that it was chosen for."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.dvc_lock import measured_on, stages
from pipelines.params import Chosen, section
from pipelines.paths import Layout
from pipelines.retraining.gate import Scores
from pipelines.retraining.registry import CONDITIONS, SCORED, Registry, RegistryError, scores_of
from s3vae.data.clips import ClipFile
from s3vae.evaluation.evaluate import real_clips, score
from s3vae.evaluation.settings import EvaluationSettings
from s3vae.judge.network import load_judge
from s3vae.runtime import choose_device

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

NEAR = 1e-6
"""Apart by less than this, two scores are the same: threads add numbers in different orders."""


def verified(name: str) -> Iterator[str]:
    """A line for every score: as registered and as computed now, from the champion in the store.

    The clips and the judge are those of the pipeline in this folder. Raises RegistryError if there
    is no champion or a score differs.
    """
    version = Registry().champion(name)
    if version is None:
        msg = f"{name} has no champion: python -m pipelines.retraining.registry shows what there is"
        raise RegistryError(msg)
    found, wrong = scored(version), []
    for column, expected in scores_of(version).items():
        if expected is None:
            continue
        value = found[column]
        if value is None or abs(value - expected) > NEAR:
            wrong.append(column)
        yield f"{column:20} registered {expected:.6f}  now {value:.6f}"
    if wrong:
        msg = f"{name} version {version.version} does not give its {', '.join(wrong)}"
        now = measured_on(stages(Path()), Chosen(version.tags["dataset"], version.tags["method"]))
        if now != version.tags.get(CONDITIONS):
            msg += ": they were measured on other clips, by another judge or by other settings"
        raise RegistryError(msg)
    yield f"{name} version {version.version} gives the scores that it was registered with."


def scored(version: "ModelVersion") -> Scores:
    """The scores of a version, loaded from the store, on the clips and by the judge of today."""
    import mlflow

    mlflow.set_tracking_uri(Registry().store.uri)
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    served = mlflow.pyfunc.load_model(f"models:/{version.name}/{version.version}")
    files, device = Layout(version.tags["dataset"]), choose_device()
    settings = section(EvaluationSettings, files.dataset, "evaluation")
    clips, judge = ClipFile(files.clips), load_judge(files.judge, device)
    real = real_clips(judge, clips, settings, device)
    model = served.unwrap_python_model().model
    found, _ = score(model, judge, clips, real, settings, device)
    return {name: found[name] for name in SCORED}
