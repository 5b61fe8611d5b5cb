"""Scores of several models as a data frame, and data frames as Markdown."""

from collections.abc import Iterable, Mapping

import pandas as pd

from s3vae.evaluation.metrics import (
    MEASURED,
    METRICS,
    NOT_JUDGED,
    REFERENCES,
    Group,
    metric,
    names,
)

MODEL = ("data set", "method")


def score_table(rows: Iterable[Mapping[str, object]]) -> pd.DataFrame:
    """Return a row per model with every metric and its `_std`; undefined scores are NaN.

    Scores that no draw enters have a deviation of 0. Other columns stay as they are, at the end.
    """
    table = pd.DataFrame(list(rows))
    columns = [column for name in names() for column in (name, f"{name}_std")]
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
