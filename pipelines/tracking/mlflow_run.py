"""A stage's run in MLflow, which never stops the stage: if the store fails, the stage goes on.

`S3VAE_TRACKING=off` does without MLflow; `make publish` logs later what was not.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.runner import RETRAINING
from pipelines.tracking.environment import code_that_runs
from pipelines.tracking.provenance import StageRun as StageRun
from pipelines.tracking.store import Store, without_logins
from s3vae.progress import LOG

if TYPE_CHECKING:
    from pipelines.tracking.mlflow_format import LoggedRun, Row

SECONDS_BETWEEN_BATCHES = 10.0
METRICS_BETWEEN_BATCHES = 1000
LONGEST_REASON = 300


class Tracked:
    """What a stage tells of itself while it runs. Nothing that is told here raises an error.

    `failure` is what the store raised, after which nothing more is told to it.
    """

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self._run: LoggedRun | None = None
        self._rows: list[tuple[int, Row]] = []
        self._metrics, self._sent_at = 0, time.monotonic()

    def log(self, row: Mapping[str, float]) -> None:
        """A row of the history: `step` and what was measured there. Sent every 10 seconds.

        A step that the run already has is passed over: telling the whole history again is harmless
        and makes good what was not yet sent when a run was killed.
        """
        if self._run is None:
            return
        self._rows.append((int(time.time() * 1000), dict(row)))
        self._metrics += len(row)
        late = time.monotonic() - self._sent_at >= SECONDS_BETWEEN_BATCHES
        if late or self._metrics >= METRICS_BETWEEN_BATCHES:
            self._send()

    def scores(self, scores: Mapping[str, float | None]) -> None:
        """Final scores; those that are None are undefined and left out."""
        defined = {name: value for name, value in scores.items() if value is not None}
        self._tell(lambda run: run.scores(defined))

    def folder(self, path: Path, artifact: str) -> None:
        """All files of a folder (pictures, tables), under this name among the run's artifacts."""
        self._tell(lambda run: run.folder(path, artifact))

    def file(self, path: Path, artifact: str) -> None:
        """A file, in a folder of this name among the run's artifacts."""
        self._tell(lambda run: run.file(path, artifact))

    def model(self, folder: Path) -> None:
        """The trained model in a folder, with its signature and all it takes to load it."""
        self._tell(lambda run: run.model(folder))

    def _send(self) -> None:
        rows, self._rows, self._metrics = self._rows, [], 0
        self._tell(lambda run: run.rows(rows))
        self._sent_at = time.monotonic()

    def _open(self, run: StageRun, *, live: bool) -> None:
        try:
            self._run = Store().start(run, run_tags(run))
        except Exception as error:
            self._give_up(error)
        if live:
            self._tell(lambda opened: opened.monitor())

    def _close(self, status: str) -> None:
        self._send()
        self._tell(lambda run: run.close(status))

    def _tell(self, action: "Callable[[LoggedRun], None]") -> None:
        if self._run is None:
            return
        try:
            action(self._run)
        except Exception as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        """Say once what is lost and how to mend it; from now on nothing is told to the store."""
        self.failure, run, self._run = error, self._run, None
        self._rows.clear()
        reason = without_logins(" ".join(str(error).split()))[:LONGEST_REASON]
        LOG.warning(
            "MLflow's store failed (%s: %s). The stage goes on without it; when the store is back, "
            "`make publish` logs what is missing.",
            type(error).__name__,
            reason,
        )
        if run is not None:
            run.stop_monitor()


@contextmanager
def tracked(run: StageRun, *, live: bool = True) -> Iterator[Tracked]:
    """The run of this key in MLflow: made, or taken up again where it was left or has ended.

    Ends as FINISHED, KILLED (KeyboardInterrupt) or FAILED, as the block does. `live` runs are
    sampled for processor and memory; those published from files are not.
    """
    tracker = Tracked()
    if tracking_is_off():
        yield tracker
        return
    tracker._open(run, live=live)
    status = "FAILED"
    try:
        yield tracker
        status = "FINISHED"
    except KeyboardInterrupt:
        status = "KILLED"
        raise
    finally:
        tracker._close(status)


def tracking_is_off() -> bool:
    """Whether the user wants no MLflow."""
    return os.environ.get("S3VAE_TRACKING", "").lower() == "off"


def run_tags(run: StageRun) -> dict[str, str]:
    """Tags that link a run to DVC's stage, git's commit, Prefect's flow run and the weights."""
    stage = f"{run.kind}@{run.dataset}" + (f"-{run.method}" if run.kind != "judge" else "")
    tags = {
        "dvc.stage": os.environ.get("DVC_STAGE", stage),
        "mlflow.source.name": f"pipelines.stages.{run.kind}",
        "mlflow.source.type": "LOCAL",
    }
    if run.weights_sha256:
        tags["s3vae.weights_sha256"] = run.weights_sha256
    commit, changed = code_that_runs()
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
