"""Scores of several models as a data frame, and data frames as Markdown."""

from collections.abc import Iterable, Mapping

import pandas as pd

from s3vae.evaluation.metrics import metric, names


def score_table(rows: Iterable[Mapping[str, object]]) -> pd.DataFrame:
    """Return a row per model with every metric and its `_std`; undefined scores are NaN.

    Scores that no draw enters have a deviation of 0. Other columns stay as they are, at the end.
    """
    table = pd.DataFrame(list(rows))
    columns = [column for name in names() for column in (name, f"{name}_std")]
    others = [column for column in table.columns if column not in columns]
    scores = table.reindex(columns=columns).astype(float)
    for name in names():
        deviations = scores[f"{name}_std"].fillna(0.0)
        scores[f"{name}_std"] = deviations.where(scores[name].notna())
    return pd.concat([scores, table[others]], axis=1)


def texts(table: pd.DataFrame, columns: Iterable[str], *, spread: bool = True) -> pd.DataFrame:
    """Return columns as text: metrics under their titles, all others as they are."""
    chosen = {}
    for column in columns:
        if column in names():
            deviations = table[f"{column}_std"] if spread else [None] * len(table)
            cells = map(metric(column).text, table[column], deviations)
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
