"""Stage `table`: one row for every data set and method, as JSON, CSV and Markdown."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.cli import arguments
from pipelines.io import write_csv, write_json, write_text
from pipelines.params import Pipeline, read_pipeline
from pipelines.paths import RESULTS, Layout
from pipelines.reporting.columns import HEADLINE, SEPARATION

Row = dict[str, str | float | None]

SCORES = (
    *HEADLINE,
    *SEPARATION,
    "static_chance",
    "dynamic_follows_static",
    "dynamic_chance",
    "static_h_y",
    "drawn_h_y",
    "drawn_h_y_given_x",
    "probe_static_from_dynamic",
    "probe_dynamic_from_static",
    "reconstruction_error",
    "judge_inception_score",
    "judge_h_y_given_x",
)
PERCENT = {
    "accuracy": "Acc %",
    "static_kept": "static kept %",
    "static_leak": "static leak %",
    "static_chance": "its chance %",
    "swap_dynamic": "swap, dynamic %",
    "swap_static": "swap, static %",
    "dynamic_follows_static": "motion told by z_f %",
    "dynamic_chance": "its chance %",
}
NUMBERS = {
    "inception_score": "IS",
    "h_y_given_x": "H(y given x)",
    "h_y": "H(y)",
    "judge_inception_score": "IS of real clips",
    "judge_h_y_given_x": "H(y given x) of real clips",
}
SHOWN = (
    *HEADLINE,
    *SEPARATION,
    "static_chance",
    "dynamic_follows_static",
    "dynamic_chance",
    "judge_inception_score",
    "judge_h_y_given_x",
)


def rows(pipeline: Pipeline) -> list[Row]:
    """Every model that has been evaluated, in the order of params.yaml."""
    return [
        row(chosen.dataset, chosen.method)
        for chosen in pipeline.models.values()
        if scores_of(chosen.dataset, chosen.method).exists()
    ]


def scores_of(dataset: str, method: str) -> Path:
    """The file of a model's scores."""
    return Layout(dataset).scores(method) / "metrics.json"


def row(dataset: str, method: str) -> Row:
    """One model's scores and their spread over the sampling seeds; null where undefined."""
    scores = json.loads(scores_of(dataset, method).read_text())
    columns: Row = {"dataset": dataset, "method": method}
    for name in SCORES:
        columns[name] = scores.get(name)
        # what no draw enters has no spread
        known = columns[name] is not None
        columns[f"{name}_std"] = scores.get(f"{name}_std", 0.0) if known else None
    return columns


def markdown(table: Sequence[Mapping[str, str | float | None]]) -> str:
    """The columns that people compare, each as mean and, where it was sampled, spread."""
    titles = ["data set", "method", *((PERCENT | NUMBERS)[name] for name in SHOWN)]
    rows = [
        [str(row["dataset"]), f"`{row['method']}`", *(cell(row, name) for name in SHOWN)]
        for row in table
    ]
    return markdown_table(titles, rows)


def markdown_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Titles, then a line for every row."""
    head, *body = ("| " + " | ".join(line) + " |" for line in (titles, *rows))
    return "\n".join([head, "|" + "---|" * len(titles), *body]) + "\n"


def cell(
    row: Mapping[str, str | float | None],
    name: str,
    *,
    percent: bool | None = None,
    spread: bool = True,
) -> str:
    """A score as people read it: percent or number, with its spread where it has one."""
    value, deviation = row.get(name), row.get(f"{name}_std")
    if not isinstance(value, float) or not math.isfinite(value):
        return "-"
    share = name in PERCENT if percent is None else percent
    factor, digits = (100, 2) if share else (1, 3)
    shown = f"{factor * value:.{digits}f}"
    return f"{shown} ± {factor * deviation:.{digits}f}" if spread and deviation else shown


def write_table(pipeline: Pipeline) -> str:
    """Write results/table.json, .csv and .md; gives the Markdown."""
    table = rows(pipeline)
    write_json(RESULTS / "table.json", table)
    write_csv(RESULTS / "table.csv", table)
    text = markdown(table)
    write_text(RESULTS / "table.md", text)
    return text


if __name__ == "__main__":
    arguments()
    write_table(read_pipeline())
