"""Scores of several models as a data frame and as Markdown."""

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import pandas as pd

from pipelines.params import Pipeline
from pipelines.paths import Layout
from s3vae.evaluation.metrics import (
    MEASURED,
    METRICS,
    NOT_JUDGED,
    REFERENCES,
    Group,
    metric,
    names,
    score_text,
)

LABELS = ("dataset", "method")
MODEL = ("data set", "method")
SECONDS_PER_STEP = "seconds_per_step"
HAND_BUILT = " †"
"""Marks methods with a hand-built prior; docs/results.md says what it means."""
FOOTNOTE = f"{HAND_BUILT.strip()} The network has a hand-built prior of two objects.\n"


def score_columns() -> list[str]:
    """Return every metric, each followed by its `_std`."""
    return [column for name in names() for column in (name, f"{name}_std")]


def score_table(rows: Iterable[Mapping[str, object]]) -> pd.DataFrame:
    """Return a row per model with every metric and its `_std`; undefined scores are NaN.

    Scores that no draw enters have a deviation of 0. Other columns stay as they are, at the end.
    """
    table, columns = pd.DataFrame(list(rows)), score_columns()
    others = [column for column in table.columns if column not in columns]
    means, spread = (
        table.reindex(columns=each).astype(float) for each in (columns[::2], columns[1::2])
    )
    spread = spread.fillna(0.0).where(means.notna().to_numpy())
    return pd.concat([means, spread], axis=1)[columns].join(table[others])


def texts(table: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """Return columns as text: metrics under their titles, all others as they are."""
    chosen = {}
    for column in columns:
        if column in names():
            cells = map(metric(column).text, table[column], table[f"{column}_std"])
            chosen[metric(column).title] = pd.Series(list(cells), table.index, dtype=object)
        else:
            chosen[column] = table[column]
    return pd.DataFrame(chosen)


def markdown(table: pd.DataFrame) -> str:
    """Return a frame of text as a Markdown table, or a sentence if it has no rows."""
    if table.empty:
        return "Nothing of this has been run yet.\n"
    rows = [table.columns, *table.astype(str).to_numpy()]
    head, *lines = ("| " + " | ".join(row) + " |" for row in rows)
    return "\n".join([head, "|" + "---|" * table.shape[1], *lines]) + "\n"


def reference_table(table: pd.DataFrame, group: Group) -> str:
    """Return a row for every measure of a group of every model that has it, as Markdown.

    The columns of `MODEL` name the model.
    """
    measures = [each for each in METRICS if each.group == group and each.better]
    references = REFERENCES[group]
    rows = [
        [*row[list(MODEL)], each.title, each.better]
        + [each.text(row.get(f"{each.name}{end}")) for end in ("", *references)]
        for _, row in table.iterrows()
        for each in measures
        if row.reindex([f"{each.name}{end}" for end in ("", *references)]).notna().any()
    ]
    columns = [*MODEL, "measure", "better", MEASURED[group], *references.values()]
    return markdown(pd.DataFrame(rows, columns=columns))


def not_judged(table: pd.DataFrame) -> str:
    """Return a line for every model that the judge did not score, with the reason."""
    missing = table.dropna(subset=NOT_JUDGED)
    return "".join(
        f"- {row['data set']} {row['method']} is not judged: {row[NOT_JUDGED]}\n"
        for _, row in missing.iterrows()
    )


def results_table(pipeline: Pipeline) -> pd.DataFrame:
    """Return the scores of every evaluated model, in the order of params.yaml.

    `seconds_per_step` is of its training, on the machine that trained it.
    """
    rows = []
    for chosen in pipeline.models.values():
        folder = Layout(chosen.dataset).scores(chosen.method)
        if (folder / "metrics.json").exists():
            labels = {"dataset": chosen.dataset, "method": chosen.method}
            seconds = {SECONDS_PER_STEP: seconds_per_step(folder / "environment.json")}
            rows.append({**json.loads((folder / "metrics.json").read_text()), **labels, **seconds})
    columns = [*LABELS, *score_columns(), SECONDS_PER_STEP, NOT_JUDGED]
    return score_table(rows).reindex(columns=columns)


def seconds_per_step(path: Path) -> float | None:
    """Return the seconds of a step of a training, if its file is there."""
    if not path.exists():
        return None
    training = json.loads(path.read_text())
    return float(training["seconds"]) / int(training["steps"])


def judged_columns() -> list[tuple[str, ...]]:
    """Return the columns of each table of judged metrics, narrow enough for a terminal."""
    return [
        (*names("headline", "separation"), "s/step"),
        names("intervention", "draws"),
        names("reconstruction", "probes"),
        names("judge"),
    ]


def table_markdown(table: pd.DataFrame, hand_built: Collection[str] = ()) -> str:
    """Return the judged metrics with their spread, those of drawn clips, and the label-free ones.

    `hand_built` are the methods that are marked, as DATASET-METHOD.
    """
    datasets, methods = (table[name].astype(str) for name in LABELS)
    models = datasets + "-" + methods
    marks = models.isin(hand_built).map({True: HAND_BUILT, False: ""})
    labels = {"data set": table["dataset"], "method": "`" + methods + "`" + marks}
    seconds = [score_text(each, None, "") for each in table[SECONDS_PER_STEP]]
    labelled = table.assign(**labels, **{"s/step": seconds})
    judged = [markdown(texts(labelled, [*MODEL, *columns])) for columns in judged_columns()]
    parts = (
        *judged,
        not_judged(labelled),
        FOOTNOTE if models.isin(hand_built).any() else "",
        "Both codes drawn:\n",
        reference_table(labelled, "generation"),
        "Without a judge:\n",
        reference_table(labelled, "label-free"),
    )
    return "\n".join(parts)
