"""Settings, scores, clips and links of a stage as MLflow's entities."""

import json
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping

from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param

from pipelines.runner import RETRAINING
from pipelines.tracking.environment import running_code
from pipelines.tracking.provenance import StageRun, record

LONGEST_VALUE, LONGEST_NAME = 6000, 250


def parameters(settings: Mapping[str, object], prefix: str = "") -> Iterator[Param]:
    """Flatten nested settings to dotted names; cut names and values to the store's limits."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from parameters(value, f"{prefix}{name}.")
        else:
            text = value if isinstance(value, str) else json.dumps(value)
            yield Param(legal(prefix + name), text[:LONGEST_VALUE])


def metrics(values: Mapping[str, float], step: int) -> list[Metric]:
    """Return values measured at a step, with the current time in milliseconds."""
    now = int(time.time() * 1000)
    return [Metric(legal(name), value, now, step) for name, value in values.items()]


def legal(name: str) -> str:
    """Replace every character that MLflow refuses in names by an underscore."""
    return re.sub(r"[^\w\-./: ]", "_", name, flags=re.ASCII)[:LONGEST_NAME]


def data_set(run: StageRun) -> DatasetInput:
    """Return the clips as MLflow's data set, with DVC's md5 of the file as digest."""
    clips = record(run.clips)
    source = {"uri": clips.path, "source": clips.source, "licence": clips.licence}
    profile = {"shape": clips.shape, "checksum_of_frames": clips.sha256}
    context = "evaluation" if run.kind == "evaluate" else "training"
    data = Dataset(clips.name, clips.md5, "local", json.dumps(source), profile=json.dumps(profile))
    return DatasetInput(data, [InputTag("mlflow.data.context", context)])


def run_tags(run: StageRun) -> dict[str, str]:
    """Return tags that link a run to DVC's stage, git's commit, Prefect's run and the weights."""
    stage = f"{run.kind}@{run.dataset}" + (f"-{run.method}" if run.kind != "judge" else "")
    tags = {
        "dvc.stage": os.environ.get("DVC_STAGE", stage),
        "mlflow.source.name": f"pipelines.stages.{run.kind}",
        "mlflow.source.type": "LOCAL",
    }
    if run.weights_sha256:
        tags["s3vae.weights_sha256"] = run.weights_sha256
    commit, changed = running_code()
    if commit:
        tags |= {"git.commit": commit, "mlflow.source.git.commit": commit}
        tags["git.dirty"] = str(changed).lower()
    if retraining := os.environ.get(RETRAINING):
        tags["prefect.retrain_run_id"] = retraining
    if "prefect" in sys.modules:
        from prefect.runtime import flow_run

        if flow_run.id:
            tags["prefect.flow_run_id"] = str(flow_run.id)
    return tags
