"""The stages of the benchmark that are left to run, with an estimate of their duration.

A stage that has run before is expected to take as long again. Otherwise a training step takes as
long as one of the method of which it is a variant, or as the average on its data set, or on any.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

from pipelines.cli import arguments
from pipelines.dag import Dag, dvc_status
from pipelines.io import read_yaml
from pipelines.params import Chosen, config_of, read_pipeline
from pipelines.paths import BENCHMARK, Layout

SECONDS = {"acquire": 60.0, "flow": 120.0, "landmarks": 120.0, "evaluate": 90.0, "table": 5.0}
"""Of stages that do not record their duration."""
SECONDS_PER_STEP = 0.2
"""Of a training if no other is known."""


def expected_seconds(stage: str, folder: Path) -> float:
    """Estimate the duration of a stage."""
    kind, _, name = stage.partition("@")
    if kind in SECONDS:
        return SECONDS[kind]
    models = read_pipeline(folder).models
    chosen = models[name] if kind == "train" else Chosen(name, "judge")
    steps, before = configured_steps(folder, chosen), recorded(folder, chosen)
    if before is not None and before["steps"] == steps:
        return before["seconds"]
    rates = {
        (other.dataset, other.method): cost["seconds"] / cost["steps"]
        for other in models.values()
        if (cost := recorded(folder, other)) is not None
    }
    variant_of = rates.get((chosen.dataset, chosen.varies or chosen.reseeds or ""))
    same_data = [rate for (dataset, _), rate in rates.items() if dataset == chosen.dataset]
    return steps * (variant_of or fmean(same_data or rates.values() or [SECONDS_PER_STEP]))


def recorded(folder: Path, chosen: Chosen) -> dict[str, float] | None:
    """Return steps and seconds of the last training, which may have had other settings."""
    path = folder / Layout(chosen.dataset).scores(chosen.method) / "environment.json"
    return json.loads(path.read_text()) if path.exists() else None


def configured_steps(folder: Path, chosen: Chosen) -> int:
    """Return the number of steps in the config of the data set."""
    content = read_yaml(config_of(chosen.dataset, folder))
    settings = content["judge"] if chosen.method == "judge" else content["methods"][chosen.method]
    return int(settings["training"]["steps"])


def lines(folder: Path) -> Iterator[str]:
    """Yield a line for every stage that is left, and their sum."""
    left = Dag(folder).with_dependants(dvc_status([str(folder / "dvc.yaml")]))
    if not left:
        yield "Nothing is left to run."
        return
    seconds = {stage: expected_seconds(stage, folder) for stage in left}
    width = max(map(len, left))
    for stage in left:
        yield f"{stage:{width}}  {seconds[stage] / 60:6.1f} min"
    hours, minutes = divmod(round(sum(seconds.values()) / 60), 60)
    yield f"{len(left)} stages are left: about {hours} h {minutes} min"


if __name__ == "__main__":
    arguments()
    for line in lines(BENCHMARK):
        print(line)
