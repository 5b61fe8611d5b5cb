"""One run in the MLflow store, and how what a stage tells is said in MLflow's terms."""

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, Run, RunTag
from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

from pipelines.paths import takes_clips
from pipelines.tracking.provenance import StageRun, record
from pipelines.tracking.store import has_model

if TYPE_CHECKING:
    from mlflow import MlflowClient

METRICS_PER_BATCH, PARAMS_PER_BATCH = 1000, 100
LONGEST_VALUE, LONGEST_NAME = 6000, 250
SECONDS_BETWEEN_SAMPLES = 5

Item = TypeVar("Item")
Row = Mapping[str, float]


class LoggedRun:
    """A run that is being written; what it already holds is not written twice."""

    def __init__(self, client: "MlflowClient", uri: str, run: Run) -> None:
        self.client, self.uri, self.id = client, uri, run.info.run_id
        self.experiment = run.info.experiment_id
        self._has_model = has_model(run)
        self._scores = dict(run.data.metrics)
        self._steps = set(self._steps_of(run))
        self._monitor: SystemMetricsMonitor | None = None

    def _steps_of(self, run: Run) -> Iterator[int]:
        for name in run.data.metrics:
            if not name.startswith("system/"):
                for metric in self.client.get_metric_history(self.id, name):
                    yield metric.step

    def describe(self, run: StageRun, tags: Mapping[str, str]) -> None:
        """Settings as parameters, clips as input, and tags."""
        self.client.log_batch(self.id, tags=[RunTag(*tag) for tag in tags.items()])
        params = [Param(*param) for param in flat(run.settings)]
        for batch in batches(params, PARAMS_PER_BATCH):
            self.client.log_batch(self.id, params=batch)
        self.client.log_inputs(self.id, [data_set(run)])

    def monitor(self) -> None:
        """Sample processor, memory, disk and network until the run is closed."""
        self._monitor = SystemMetricsMonitor(  # type: ignore[no-untyped-call]
            self.id, SECONDS_BETWEEN_SAMPLES, resume_logging=True, tracking_uri=self.uri
        )
        self._monitor.start()  # type: ignore[no-untyped-call]

    def rows(self, rows: Iterable[tuple[int, Row]]) -> None:
        """Rows of a history, each with the time (ms) of its making; known steps are passed over."""
        fresh = [(made, row) for made, row in rows if int(row["step"]) not in self._steps]
        for batch in whole_rows(fresh):
            metrics = [
                Metric(legal(name), value, made, int(row["step"]))
                for made, row in batch
                for name, value in row.items()
                if name != "step"
            ]
            self.client.log_batch(self.id, metrics=metrics)
            self._steps.update(int(row["step"]) for _, row in batch)

    def scores(self, scores: Mapping[str, float]) -> None:
        """Final scores, at step 0, which no row of a history has."""
        named = {legal(name): value for name, value in scores.items()}
        changed = {name: value for name, value in named.items() if self._scores.get(name) != value}
        made = now()
        metrics = [Metric(name, value, made, 0) for name, value in changed.items()]
        for batch in batches(metrics, METRICS_PER_BATCH):
            self.client.log_batch(self.id, metrics=batch)
        self._scores |= changed

    def folder(self, path: Path, artifact: str) -> None:
        """All files of a folder; those of the same name are replaced."""
        self.client.log_artifacts(self.id, str(path), artifact)

    def file(self, path: Path, artifact: str) -> None:
        """A file; one of the same name is replaced."""
        self.client.log_artifact(self.id, str(path), artifact)

    def model(self, folder: Path) -> None:
        """The model of a folder, ready to serve, unless the run has one or it takes no clips."""
        from pipelines.tracking.mlflow_package import log_model

        if takes_clips(folder) and not self._has_model:
            log_model(self.client, self.experiment, self.id, folder)
            self._has_model = True

    def close(self, status: str) -> None:
        """End the run as FINISHED, FAILED or KILLED."""
        self.stop_monitor()
        self.client.set_terminated(self.id, status)

    def stop_monitor(self) -> None:
        """Sample no more."""
        if self._monitor is not None:
            self._monitor.finish()  # type: ignore[no-untyped-call]


def now() -> int:
    """The time as MLflow counts it, in milliseconds."""
    return int(time.time() * 1000)


def flat(settings: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested settings as dotted names and values, both cut to what the store takes."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}.")
        else:
            text = value if isinstance(value, str) else json.dumps(value)
            yield legal(prefix + name), text[:LONGEST_VALUE]


def legal(name: str) -> str:
    """The name with an underscore for every character that MLflow refuses in names."""
    return re.sub(r"[^\w\-./: ]", "_", name, flags=re.ASCII)[:LONGEST_NAME]


def batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """The items in order, at most `size` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def whole_rows(rows: Sequence[tuple[int, Row]]) -> Iterator[Sequence[tuple[int, Row]]]:
    """Rows in batches that the store takes at once: it writes a batch whole or not at all."""
    widest = max((len(row) for _, row in rows), default=1)
    return batches(rows, max(METRICS_PER_BATCH // widest, 1))


def data_set(run: StageRun) -> DatasetInput:
    """The clips as MLflow's data set: its digest is the md5 by which DVC knows the file."""
    clips = record(run.clips)
    source = {"uri": clips.path, "source": clips.source, "licence": clips.licence}
    profile = {"shape": clips.shape, "checksum_of_frames": clips.sha256}
    purpose = "evaluation" if run.kind == "evaluate" else "training"
    return DatasetInput(
        Dataset(
            clips.name,
            clips.md5,
            source_type="local",
            source=json.dumps(source),
            profile=json.dumps(profile),
        ),
        [InputTag("mlflow.data.context", purpose)],
    )
