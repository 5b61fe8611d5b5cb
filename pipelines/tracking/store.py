"""The MLflow store: its address, and the experiment and runs of this project in it.

Errors of the store are raised; mlflow_run.py catches them. MLflow takes 2 seconds to import, so it
is imported when a store is opened.
"""

import logging
import os
import re
import warnings
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from filelock import FileLock

from pipelines.prefect_server import spare_loopback

if TYPE_CHECKING:
    from mlflow.entities import Run

    from pipelines.tracking.provenance import StageRun

EXPERIMENT = "s3vae"
SECONDS_TO_CREATE = 60
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_ASYNC_LOGGING_BUFFERING_SECONDS": "1",
}
"""Defaults set before MLflow is imported: a server that does not answer must not delay a stage."""
LOGIN = re.compile(r"(?<=://)[^/@\s]*@")


def store_uri() -> str:
    """Return `MLFLOW_TRACKING_URI`, or else mlflow.db in the root of the DVC repository."""
    if uri := os.environ.get("MLFLOW_TRACKING_URI"):
        return uri
    here = Path.cwd()
    roots = (folder for folder in (here, *here.parents) if (folder / ".dvc").is_dir())
    root = Path(os.environ.get("DVC_ROOT") or next(roots, here))
    path = str(root.resolve() / "mlflow.db")
    return f"sqlite:///{quote(path) if set('%?#') & set(path) else path}"


def database_file(uri: str) -> Path | None:
    """Return the file of an SQLite store; None for other stores."""
    path = uri.removeprefix("sqlite:///")
    return None if path == uri else Path(unquote(path)).resolve()


def without_logins(text: str) -> str:
    """Remove user names and passwords from all addresses in a text, for logs."""
    return LOGIN.sub("", text)


def has_model(run: "Run") -> bool:
    """Return whether a model was logged with the run."""
    return bool(run.outputs and run.outputs.model_outputs)


class Store:
    """The experiment, which is created if it does not exist, and its runs."""

    def __init__(self) -> None:
        spare_loopback()
        os.environ.update({k: v for k, v in ENVIRONMENT.items() if k not in os.environ})
        from mlflow import MlflowClient

        for name in ("mlflow", "alembic", "urllib3.connectionpool"):  # failures are raised
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self.uri = store_uri()
        file = database_file(self.uri)
        # two stages must not create the tables of a database at the same time
        alone = FileLock(f"{file}.lock", SECONDS_TO_CREATE) if file else nullcontext()
        with alone, warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=UserWarning, module="alembic")
            self.client = MlflowClient(self.uri)
            artifacts = (file.parent / "mlartifacts").as_uri() if file else None
            self.experiment = self._experiment(artifacts)

    def _experiment(self, artifacts: str | None) -> str:
        experiment = self.client.get_experiment_by_name(EXPERIMENT)
        if experiment is None:
            return str(self.client.create_experiment(EXPERIMENT, artifacts))
        if experiment.lifecycle_stage == "deleted":
            self.client.restore_experiment(experiment.experiment_id)
        return str(experiment.experiment_id)

    def find(self, **labels: str) -> "Run | None":
        """Return the oldest run with these tags (without their prefix `s3vae.`), if any."""
        query = " and ".join(f"tags.`s3vae.{name}` = '{value}'" for name, value in labels.items())
        order = ["attributes.start_time ASC"]
        runs = self.client.search_runs([self.experiment], query, 1, 1, order)
        return runs[0] if runs else None

    def open(self, run: "StageRun", tags: Mapping[str, str]) -> "Run":
        """Resume the run of this key, or create it below the parent run of its method."""
        if run.kind != "judge":
            parent = self._parent(run)
            tags = {**tags, "mlflow.parentRunId": parent}
        resumed = self.find(key=run.key)
        if resumed is None:
            labels = {"key": run.key, "kind": run.kind}
            return self._create(f"{run.kind} {run.dataset} {run.method}", run, labels, tags)
        self.client.update_run(resumed.info.run_id, "RUNNING")
        for name, value in tags.items():
            self.client.set_tag(resumed.info.run_id, name, value)
        return resumed

    def _parent(self, run: "StageRun") -> str:
        """Return the id of the run that groups all runs of a method on a data set."""
        parent = self.find(kind="method", dataset=run.dataset, method=run.method)
        if parent is None:
            parent = self._create(f"{run.dataset} {run.method}", run, {"kind": "method"}, {})
            self.client.set_terminated(parent.info.run_id)
        return str(parent.info.run_id)

    def _create(
        self, name: str, run: "StageRun", labels: Mapping[str, str], tags: Mapping[str, str]
    ) -> "Run":
        labels = {**labels, "dataset": run.dataset, "method": run.method}
        own = {f"s3vae.{label}": value for label, value in labels.items()}
        return self.client.create_run(self.experiment, tags={**own, **tags}, run_name=name)
