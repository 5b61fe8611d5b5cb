"""Logs results that are on disk (from DVC's cache, a clone) into an MLflow store that lacks them.

`python -m pipelines.tracking.publish` in the root of the repository. Needs no data: the notes
beside the results (provenance.py) tell what they are of.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipelines.cli import arguments
from pipelines.paths import BENCHMARK, RESULTS, Layout, takes_clips
from pipelines.tracking.mlflow_run import Tracked, tracked
from pipelines.tracking.provenance import Kind, StageRun, read_origin
from pipelines.tracking.store import Store, has_model, without_logins
from s3vae.files import checksum_of
from s3vae.weights import WEIGHTS

PIPELINES = (Path(), BENCHMARK)
LEFT: dict[Kind, tuple[str, ...]] = {
    "train": ("history.csv",),
    "judge": ("history.csv", "metrics.json"),
    "evaluate": ("metrics.json", "pictures"),
}
"""What each stage leaves beside its note."""


def publish(pipelines: Sequence[Path] = PIPELINES) -> Iterator[str]:
    """Log what the store lacks of the results in these folders; a line on every run and a summary.

    Raises whatever the store raises.
    """
    store, logged, there, incomplete = Store(), 0, 0, 0
    for pipeline in pipelines:
        for note in sorted((pipeline / RESULTS).rglob("origin-*.json")):
            run = read_origin(note)
            name = f"{run.kind} {run.dataset} {run.method}"
            model, missing = weights_of(pipeline, run)
            if absent := absent_results(pipeline, run):
                incomplete += 1
                yield f"not logged     {name}  ({absent} is not here, `dvc pull` fetches it)"
            elif is_complete(store, run, model):
                there += 1
                yield f"already there  {name}{missing}"
            else:
                log_results(pipeline, run, model)
                logged += 1
                yield f"logged         {name}{missing}"
    if logged + there + incomplete == 0:
        yield "Nothing to log here: make results (dvc repro) or fetch them (dvc pull)."
    else:
        counts = f"{logged} logged, {there} already there, {incomplete} not logged"
        yield f"{counts}, in {without_logins(store.uri)}"


def weights_of(pipeline: Path, run: StageRun) -> tuple[Path | None, str]:
    """The folder of a trained model, if its weights are those of the run; else what is wrong."""
    if run.kind != "train":
        return None, ""
    folder = pipeline / Layout(run.dataset).model(run.method)
    if not (folder / WEIGHTS).exists():
        return None, f"  (without its model: {folder} is not here, `dvc pull` fetches it)"
    if checksum_of(folder / WEIGHTS) != run.weights_sha256:
        return None, f"  (without its model: {folder} is of another training)"
    return folder, ""


def is_complete(store: Store, run: StageRun, model: Path | None) -> bool:
    """Whether the store has the run, finished, and its model if we could give it."""
    found = store.find(key=run.key)
    if found is None or found.info.status != "FINISHED":
        return False
    return model is None or not takes_clips(model) or has_model(found)


def results_of(pipeline: Path, run: StageRun) -> list[Path]:
    """The history, scores and pictures that a stage leaves."""
    folder = pipeline / Layout(run.dataset).scores(run.method)
    return [folder / name for name in LEFT[run.kind]]


def absent_results(pipeline: Path, run: StageRun) -> str:
    """Those that are not here, by name."""
    return ", ".join(str(path) for path in results_of(pipeline, run) if not path.exists())


def log_results(pipeline: Path, run: StageRun, model: Path | None) -> None:
    """Log what a stage left, by the same functions that it logs with itself."""
    evidence = pipeline / Layout(run.dataset).predictions(run.method)
    with tracked(run, live=False) as tracker:
        for path in results_of(pipeline, run):
            if path.suffix == ".csv":
                log_history(tracker, path)
            elif path.suffix == ".json":
                tracker.scores(json.loads(path.read_text()))
            else:
                tracker.folder(path, path.name)
        if run.kind == "evaluate" and evidence.exists():  # it is in DVC's cache, not in git
            tracker.file(evidence, "evidence")
        if model is not None:
            tracker.model(model)
    if tracker.failure is not None:
        raise tracker.failure


def log_history(tracker: Tracked, path: Path) -> None:
    """Every row of a history; what was not measured at a step is empty in it."""
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            tracker.log({name: float(value) for name, value in row.items() if value})


if __name__ == "__main__":
    arguments()
    for line in publish():
        print(line, flush=True)
