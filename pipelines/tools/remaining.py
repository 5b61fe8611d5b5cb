"""What of the benchmark is left to run, and how long it may take.

A stage that has run before is expected to take as long again; else the steps of a training take as
long as those of the method that it is a variant of, or on average of those on the same data set, or
of any.
"""

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean

from ruamel.yaml import YAML

from pipelines.cli import arguments
from pipelines.params import PARAMS, Chosen, Pipeline, read_pipeline
from pipelines.paths import BENCHMARK, Layout

SECONDS = {"acquire": 60.0, "flow": 120.0, "landmarks": 120.0, "evaluate": 90.0, "table": 5.0}
"""Of stages that do not note how long they took."""
SECONDS_PER_STEP = 0.2
"""Of a training where none is known."""
AFTER: Mapping[str, Sequence[str]] = {
    "acquire": ("flow", "landmarks", "judge", "train", "evaluate"),
    "flow": ("train", "evaluate"),
    "landmarks": ("train", "evaluate"),
    "judge": ("evaluate",),
    "train": ("evaluate",),
}
"""Which stages of the same data set, or of the same model, are stale when a stage is."""


def stale(folder: Path) -> list[str]:
    """The stages that DVC would run, and those that depend on them, in the order of the DAG."""
    command = ["dvc", "status", "--json", str(folder / "dvc.yaml")]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    changed = {name.rsplit(":", 1)[-1] for name in json.loads(answer)}
    pipeline = read_pipeline(folder)
    return with_dependants(changed, pipeline)


def with_dependants(changed: Iterable[str], pipeline: Pipeline) -> list[str]:
    """Also the stages that a changed one makes stale."""
    found = set(changed)
    datasets = {name: chosen.dataset for name, chosen in pipeline.models.items()}
    datasets |= {name: name for name in pipeline.datasets}
    order = [
        f"{kind}@{name}"
        for kind, names in (
            ("acquire", pipeline.datasets),
            ("flow", pipeline.datasets),
            ("landmarks", pipeline.faces),
            ("judge", pipeline.datasets),
            ("train", pipeline.models),
            ("evaluate", pipeline.models),
        )
        for name in names
    ]
    for stage in order:
        if stage not in found:
            continue
        kind, name = stage.split("@")
        for later in order:
            later_kind, later_name = later.split("@")
            of_same = later_name == name or (
                kind != "train" and datasets[later_name] == datasets[name]
            )
            if later_kind in AFTER.get(kind, ()) and of_same:
                found.add(later)
    return [stage for stage in [*order, "table"] if stage in found or (stage == "table" and found)]


def expected_seconds(stage: str, folder: Path) -> float:
    """How long a stage may take."""
    kind, _, name = stage.partition("@")
    if kind in SECONDS:
        return SECONDS[kind]
    pipeline = read_pipeline(folder)
    chosen = pipeline.models[name] if kind == "train" else Chosen(name, "judge")
    before = noted(folder, chosen)
    steps = asked_steps(folder, chosen)
    if before is not None and before["steps"] == steps:
        return before["seconds"]
    rates = {
        (other.dataset, other.method): each["seconds"] / each["steps"]
        for other in pipeline.models.values()
        if (each := noted(folder, other)) is not None
    }
    like = rates.get((chosen.dataset, chosen.varies or chosen.reseeds or ""))
    same_data = [rate for (dataset, _), rate in rates.items() if dataset == chosen.dataset]
    return steps * (like or fmean(same_data or rates.values() or [SECONDS_PER_STEP]))


def noted(folder: Path, chosen: Chosen) -> dict[str, float] | None:
    """Steps and seconds of a training that has been run, maybe with other settings."""
    path = folder / Layout(chosen.dataset).scores(chosen.method) / "circumstances.json"
    return json.loads(path.read_text()) if path.exists() else None


def asked_steps(folder: Path, chosen: Chosen) -> int:
    """The steps that params.yaml asks for."""
    content = YAML(typ="safe").load(folder / PARAMS)["datasets"][chosen.dataset]
    judge = chosen.method == "judge"
    settings = content["judge"] if judge else content["methods"][chosen.method]
    return int(settings["training"]["steps"])


def lines(folder: Path) -> list[str]:
    """What is left, a line for every stage, and the sum."""
    left = stale(folder)
    if not left:
        return ["Nothing is left to run."]
    seconds = {stage: expected_seconds(stage, folder) for stage in left}
    width = max(map(len, left))
    each = [f"{stage:{width}}  {seconds[stage] / 60:6.1f} min" for stage in left]
    hours, minutes = divmod(round(sum(seconds.values()) / 60), 60)
    return [*each, f"{len(left)} stages are left: about {hours} h {minutes} min"]


if __name__ == "__main__":
    arguments()
    for line in lines(BENCHMARK):
        print(line)
