"""A stage's run in MLflow. Tracking never stops a stage: if the store fails, the stage goes on.

`S3VAE_TRACKING=off` turns tracking off; `make publish` logs later what is missing.
Runs are written by MLflow's client, not its fluent API: at exit that marks a run as finished even
if its metrics were lost, and `make publish` would skip it.
"""

import functools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from pipelines.paths import takes_clips
from pipelines.tracking.provenance import StageRun as StageRun
from pipelines.tracking.store import Store, has_model, without_logins
from s3vae.progress import LOG

if TYPE_CHECKING:
    from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

SECONDS_BETWEEN_SAMPLES, PARAMS_PER_BATCH, LONGEST_REASON = 5, 100, 300

Arguments = ParamSpec("Arguments")


def _unless_failed(
    method: Callable[Concatenate["Tracked", Arguments], None],
) -> Callable[Concatenate["Tracked", Arguments], None]:
    """Make a method do nothing after a failure, and never raise an error of the store."""

    @functools.wraps(method)
    def guarded(tracker: "Tracked", /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        if not tracker._active:
            return
        try:
            method(tracker, *args, **kwargs)
        except Exception as error:
            tracker._give_up(error)

    return guarded


class Tracked:
    """The run of a stage; none of its methods raises. `failure` is the store's first error."""

    def __init__(self, *, active: bool) -> None:
        self.failure: Exception | None = None
        self._active = active
        self._pending: list[Any] = []  # MLflow's RunOperations
        self._monitor: SystemMetricsMonitor | None = None

    @_unless_failed
    def log(self, row: Mapping[str, float]) -> None:
        """Log a row of the history in the background: `step` and the values measured there.

        Steps that the run already has are skipped, so logging a whole history again is harmless.
        """
        from pipelines.tracking.mlflow_format import metrics

        step = int(row["step"])
        if step not in self._steps:
            self._steps.add(step)
            values = metrics({name: row[name] for name in row if name != "step"}, step)
            self._pending.append(self._client.log_batch(self._id, values, synchronous=False))

    def history(self, rows: Iterable[Mapping[str, float]]) -> None:
        """Log all rows of a history, for those that a killed run had not sent."""
        for row in rows:
            self.log(row)

    @_unless_failed
    def scores(self, scores: Mapping[str, float | str | None]) -> None:
        """Log final scores at step 0, text as tags; those that are None are undefined."""
        from pipelines.tracking.mlflow_format import legal, metrics

        for name, value in scores.items():
            if isinstance(value, str):
                self._client.set_tag(self._id, f"s3vae.{name}", value)
        known = self._run.data.metrics
        new = {
            name: value
            for name, value in scores.items()
            if isinstance(value, float | int) and known.get(legal(name)) != value
        }
        self._client.log_batch(self._id, metrics(new, step=0))

    @_unless_failed
    def file(self, path: Path, artifact: str | None = None) -> None:
        """Log a file, or a folder with its files, as artifacts below this name."""
        self._client.log_artifact(self._id, str(path), artifact)

    @_unless_failed
    def model(self, folder: Path) -> None:
        """Log the trained model in a folder, unless the run has one or it encodes no clips."""
        from pipelines.tracking.mlflow_package import log_model

        if takes_clips(folder) and not has_model(self._run):
            log_model(self._client, self._run.info.experiment_id, self._id, folder)

    @_unless_failed
    def _open(self, run: StageRun, *, live: bool) -> None:
        store = Store()
        from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

        from pipelines.tracking.mlflow_format import data_set, parameters, run_tags

        self._client, self._run = store.client, store.open(run, run_tags(run))
        self._id = self._run.info.run_id
        self._steps = {
            metric.step
            for name in self._run.data.metrics
            if not name.startswith("system/")
            for metric in self._client.get_metric_history(self._id, name)
        }
        params = list(parameters(run.settings))
        for first in range(0, len(params), PARAMS_PER_BATCH):
            self._client.log_batch(self._id, params=params[first : first + PARAMS_PER_BATCH])
        self._client.log_inputs(self._id, [data_set(run)])
        if live:
            self._monitor = SystemMetricsMonitor(  # type: ignore[no-untyped-call]
                self._id, SECONDS_BETWEEN_SAMPLES, resume_logging=True, tracking_uri=store.uri
            )
            self._monitor.start()  # type: ignore[no-untyped-call]

    @_unless_failed
    def _close(self, status: str) -> None:
        for operation in self._pending:
            operation.wait()
        self._stop_monitor()
        self._client.set_terminated(self._id, status)

    def _stop_monitor(self) -> None:
        monitor, self._monitor = self._monitor, None
        if monitor is not None:
            monitor.finish()  # type: ignore[no-untyped-call]

    def _give_up(self, error: Exception) -> None:
        """Warn once; from now on nothing is sent to the store."""
        self.failure, self._active = error, False
        self._pending.clear()
        LOG.warning(
            "MLflow's store failed (%s: %s). The stage goes on without it; when the store is back, "
            "`make publish` logs what is missing.",
            type(error).__name__,
            without_logins(" ".join(str(error).split()))[:LONGEST_REASON],
        )
        self._stop_monitor()


@contextmanager
def tracked(run: StageRun, *, live: bool = True) -> Iterator[Tracked]:
    """Open the run of this key in MLflow, a new one or the one that an earlier stage left.

    It ends as FINISHED, KILLED (KeyboardInterrupt) or FAILED, as the block does. The processor and
    memory of a `live` run are sampled; those of results published from files are not.
    """
    tracker = Tracked(active=not tracking_is_off())
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
    """Return whether the user has turned MLflow off."""
    return os.environ.get("S3VAE_TRACKING", "").lower() == "off"
