"""Log results on disk (from DVC's cache or a clone) into an MLflow store that lacks them.

`python -m pipelines.tracking.publish` in the root of the repository. Needs no data: the files of
provenance.py beside the results describe the runs.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipelines.cli import arguments
from pipelines.paths import BENCHMARK, RESULTS, Layout, takes_clips
from pipelines.tracking.mlflow_run import Tracked, tracked
from pipelines.tracking.provenance import StageRun, read_provenance, stage_entry
from pipelines.tracking.store import Store, has_model, without_logins
from s3vae.files import checksum_of
from s3vae.weights import WEIGHTS

PIPELINES = (Path(), BENCHMARK)


def publish(pipelines: Sequence[Path] = PIPELINES) -> Iterator[str]:
    """Log the results in these folders that the store lacks; yield a line per run and a summary.

    Raises whatever the store raises.
    """
    store, counts = Store(), dict.fromkeys(("logged", "already there", "not logged"), 0)
    for pipeline in pipelines:
        for note in sorted((pipeline / RESULTS).rglob("provenance-*.json")):
            run = read_provenance(note)
            model, remark = weights_of(pipeline, run)
            absent = ", ".join(str(path) for path in results_of(pipeline, run) if not path.exists())
            if absent:
                state, remark = "not logged", f"  ({absent} is not here, `dvc pull` fetches it)"
            elif is_complete(store, run, model):
                state = "already there"
            else:
                log_results(pipeline, run, model)
                state = "logged"
            counts[state] += 1
            yield f"{state:15}{run.kind} {run.dataset} {run.method}{remark}"
    if any(counts.values()):
        summary = ", ".join(f"{count} {state}" for state, count in counts.items())
        yield f"{summary}, in {without_logins(store.uri)}"
    else:
        yield "Nothing to log here: make results (dvc repro) or fetch them (dvc pull)."


def weights_of(pipeline: Path, run: StageRun) -> tuple[Path | None, str]:
    """Return the folder of a trained model if it holds the run's weights, or else a remark."""
    if run.kind != "train":
        return None, ""
    folder = pipeline / Layout(run.dataset).model(run.method)
    if not (folder / WEIGHTS).exists():
        return None, f"  (without its model: {folder} is not here, `dvc pull` fetches it)"
    if checksum_of(folder / WEIGHTS) != run.weights_sha256:
        return None, f"  (without its model: {folder} holds another training)"
    return folder, ""


def is_complete(store: Store, run: StageRun, model: Path | None) -> bool:
    """Return whether the store has the finished run, and its model if the model is here."""
    found = store.find(key=run.key)
    if found is None or found.info.status != "FINISHED":
        return False
    return model is None or not takes_clips(model) or has_model(found)


def results_of(pipeline: Path, run: StageRun) -> list[Path]:
    """Return the metrics and plots that a stage writes by dvc.yaml and that git holds."""
    folder, entry = pipeline / Layout(run.dataset).scores(run.method), stage_entry(run.kind)
    declared = [each for kind in ("metrics", "plots") for each in entry.get(kind, ())]
    outputs = [next(iter(each)) for each in declared if not isinstance(each, str)]
    return [folder / Path(output).name for output in outputs]


def log_results(pipeline: Path, run: StageRun, model: Path | None) -> None:
    """Log the results of a stage, by the functions that the stage itself uses."""
    files = Layout(run.dataset)
    with tracked(run, live=False) as tracker:
        for path in results_of(pipeline, run):
            if path.suffix == ".csv":
                log_history(tracker, path)
            else:
                tracker.scores(json.loads(path.read_text()))
        if run.kind == "evaluate":  # these are in DVC's cache, not in git
            if (pictures := pipeline / files.scores(run.method) / "pictures").exists():
                tracker.file(pictures)
            if (predictions := pipeline / files.predictions(run.method)).exists():
                tracker.file(predictions, "predictions")
        if model is not None:
            tracker.model(model)
    if tracker.failure is not None:
        raise tracker.failure


def log_history(tracker: Tracked, path: Path) -> None:
    """Log every row of a history; cells of values not measured at a step are empty."""
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            tracker.log({name: float(value) for name, value in row.items() if value})


if __name__ == "__main__":
    arguments()
    for line in publish():
        print(line, flush=True)
