"""What pipelines have left of their models, read for the report, and how scores are shown there."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.dvc_lock import judged_by_the_judge, stages
from pipelines.params import Chosen, read_pipeline
from pipelines.paths import Layout
from pipelines.reporting.columns import SEPARATION
from pipelines.stages.table import PERCENT, Row, cell

SHARES = {
    *PERCENT,
    "reconstructed_static",
    "reconstructed_dynamic",
    "probe_static_from_dynamic",
    "probe_dynamic_from_static",
    "distances_explained",
}
UNENCODED = "*"
"""Beside scores of a generator without an encoder that are no match for the others' (docs)."""


@dataclass(frozen=True)
class Result:
    """A model that has been trained and evaluated."""

    chosen: Chosen
    scores: Row
    circumstances: Mapping[str, Any]
    curve: Sequence[Mapping[str, float]]
    source: str
    """Where its clips are from."""

    @property
    def encodes(self) -> bool:
        """Whether the model has an encoder."""
        return "reconstruction_error" in self.scores

    @property
    def timed_curve(self) -> list[dict[str, float]]:
        """The curve with the `minutes` that were taken up to each of its states."""
        minutes_per_step = self.circumstances["seconds"] / self.circumstances["steps"] / 60
        return [{**row, "minutes": minutes_per_step * row["step"]} for row in self.curve]

    @property
    def trained(self) -> list[str]:
        """Minutes and threads of its training, and the commit; + where code differed from it."""
        at = self.circumstances
        commit = f"`{at['commit'][:7]}{'+' if at['changed'] else ''}`"
        return [f"{at['seconds'] / 60:.1f}", str(at["threads"]), commit]

    def _flattered(self, name: str) -> bool:
        """Whether there is such a score, and it is that of a generator without an encoder."""
        return not self.encodes and self.scores.get(name) is not None

    def cells(self, names: Sequence[str], *, spread: bool = True) -> list[str]:
        """Scores as people read them."""
        return [
            cell(self.scores, name, percent=name in SHARES, spread=spread)
            + (UNENCODED if name in SEPARATION and self._flattered(name) else "")
            for name in names
        ]


def results(folder: Path) -> list[Result]:
    """The models of a pipeline that its judges have judged, in the order of its params.yaml."""
    pipeline, locked = read_pipeline(folder), stages(folder)
    chosen = (each for each in pipeline.models.values() if judged_by_the_judge(locked, each))
    found = (result(folder, each) for each in chosen)
    return [each for each in found if each is not None]


def result(folder: Path, chosen: Chosen) -> Result | None:
    """What there is of a model; None if it has not been evaluated since it was last trained."""
    scores = folder / Layout(chosen.dataset).scores(chosen.method)
    names = ("metrics", "circumstances", "origin-train", "origin-evaluate")
    paths = {name: scores / f"{name}.json" for name in names}
    if not all(path.exists() for path in paths.values()):
        return None
    found = {name: json.loads(path.read_text()) for name, path in paths.items()}
    trained, evaluated = (found[f"origin-{of}"]["weights_sha256"] for of in ("train", "evaluate"))
    if trained != evaluated:
        return None
    with (scores / "curve.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    curve = [{name: float(value) for name, value in row.items()} for row in rows]
    source = found["origin-train"]["clips"]["source"]
    return Result(chosen, found["metrics"], found["circumstances"], curve, source)
