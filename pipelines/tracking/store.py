"""The MLflow store: where it is, and the experiment of this project in it.

Nothing here catches what the store raises: tracking.py does. MLflow takes 2 seconds to import, so
it is imported when a store is opened.
"""

import logging
import os
import re
import warnings
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

if TYPE_CHECKING:
    from mlflow.entities import Run

    from pipelines.tracking.mlflow_format import LoggedRun
    from pipelines.tracking.provenance import StageRun

EXPERIMENT = "s3vae"
SECONDS_TO_MAKE = 60
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
}
"""Set before MLflow is imported unless the user did: a server that is gone must not hold us up."""
LOGIN = re.compile(r"(?<=://)[^/@\s]*@")


def store_uri() -> str:
    """`MLFLOW_TRACKING_URI`, else mlflow.db in the repository's root (told by DVC or by .dvc)."""
    if asked := os.environ.get("MLFLOW_TRACKING_URI"):
        return asked
    here = Path.cwd()
    above = (folder for folder in (here, *here.parents) if (folder / ".dvc").is_dir())
    root = Path(os.environ.get("DVC_ROOT") or next(above, here))
    return f"sqlite:///{root.resolve() / 'mlflow.db'}"


def without_logins(said: str) -> str:
    """A text without the names and passwords of the addresses in it, fit for logs."""
    return LOGIN.sub("", said)


def has_model(run: "Run") -> bool:
    """Whether a model was logged with the run."""
    return bool(run.outputs and run.outputs.model_outputs)


class Store:
    """The experiment, made if it is not there, and the runs in it."""

    def __init__(self) -> None:
        os.environ.update({k: v for k, v in ENVIRONMENT.items() if k not in os.environ})
        from mlflow import MlflowClient

        for name in ("mlflow", "alembic", "urllib3.connectionpool"):  # what fails is raised
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self.uri = store_uri()
        file = self._file()
        alone = FileLock(f"{file}.lock", SECONDS_TO_MAKE) if file else nullcontext()
        with alone, warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=UserWarning, module="alembic")
            self.client = MlflowClient(self.uri)
            self.experiment = self._experiment()

    def _file(self) -> Path | None:
        """The database, if the store is a file: two stages must not make its tables at once."""
        path = self.uri.removeprefix("sqlite:///")
        return None if path == self.uri else Path(path).resolve()

    def _experiment(self) -> str:
        found = self.client.get_experiment_by_name(EXPERIMENT)
        if found is None:
            file = self._file()
            artifacts = (file.parent / "mlartifacts").as_uri() if file else None
            return str(self.client.create_experiment(EXPERIMENT, artifacts))
        if found.lifecycle_stage == "deleted":
            self.client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)

    def find(self, **tags: str) -> "Run | None":
        """The oldest run with these tags (named without their `s3vae.`), if there is one."""
        wanted = " and ".join(f"tags.`s3vae.{name}` = '{value}'" for name, value in tags.items())
        oldest = ["attributes.start_time ASC"]
        found = self.client.search_runs([self.experiment], wanted, 1, 1, oldest)
        return found[0] if found else None

    def start(self, run: "StageRun", tags: Mapping[str, str]) -> "LoggedRun":
        """The run of this key, found or made, its parameters, data set and tags written."""
        from pipelines.tracking.mlflow_format import LoggedRun

        ours = {"key": run.key, "kind": run.kind, "dataset": run.dataset, "method": run.method}
        tags = {f"s3vae.{name}": value for name, value in ours.items()} | dict(tags)
        if run.kind != "judge":
            tags["mlflow.parentRunId"] = self._parent(run)
        found = self.find(key=run.key)
        if found is None:
            name = f"{run.kind} {run.dataset} {run.method}"
            found = self.client.create_run(self.experiment, tags=tags, run_name=name)
        else:
            self.client.update_run(found.info.run_id, "RUNNING")
        logged = LoggedRun(self.client, self.uri, found)
        logged.describe(run, tags)
        return logged

    def _parent(self, run: "StageRun") -> str:
        """The run that holds all runs of a method on a data set together."""
        ours = {"kind": "method", "dataset": run.dataset, "method": run.method}
        found = self.find(**ours)
        if found is None:
            tags = {f"s3vae.{name}": value for name, value in ours.items()}
            name = f"{run.dataset} {run.method}"
            found = self.client.create_run(self.experiment, tags=tags, run_name=name)
            self.client.set_terminated(found.info.run_id)
        return str(found.info.run_id)
