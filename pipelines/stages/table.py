"""Stage `table`: a row for every data set and method, as JSON, CSV and Markdown."""

import json

import pandas as pd

from pipelines.cli import arguments
from pipelines.io import write_json, write_text
from pipelines.params import Pipeline, read_pipeline
from pipelines.paths import RESULTS, Layout
from pipelines.reporting.score_table import (
    MODEL,
    label_free,
    markdown,
    not_judged,
    score_table,
    texts,
)
from s3vae.evaluation.metrics import NOT_JUDGED, names

LABELS = ("dataset", "method")


def results_table(pipeline: Pipeline) -> pd.DataFrame:
    """Return the scores of every evaluated model, in the order of params.yaml."""
    rows = []
    for chosen in pipeline.models.values():
        path = Layout(chosen.dataset).scores(chosen.method) / "metrics.json"
        if path.exists():
            labels = {"dataset": chosen.dataset, "method": chosen.method}
            rows.append({**json.loads(path.read_text()), **labels})
    columns = [column for name in names() for column in (name, f"{name}_std")]
    return score_table(rows).reindex(columns=[*LABELS, *columns, NOT_JUDGED])


def table_markdown(table: pd.DataFrame) -> str:
    """Return the judged metrics with their spread over sampling seeds, and the label-free ones."""
    labels = {"data set": table["dataset"], "method": "`" + table["method"].astype(str) + "`"}
    labelled = table.assign(**labels)
    compared = names("headline", "separation", "intervention", "draws", "judge")
    judged = markdown(texts(labelled, [*MODEL, *compared]))
    return f"{judged}\n{not_judged(labelled)}\nWithout a judge:\n\n{label_free(labelled)}"


def write_table(pipeline: Pipeline) -> str:
    """Write results/table.json, .csv and .md. Return the Markdown."""
    table = results_table(pipeline)
    text = table_markdown(table)
    records = table.astype(object).where(table.notna(), None).to_dict("records")
    write_json(RESULTS / "table.json", records)
    write_text(RESULTS / "table.csv", table.to_csv(index=False, lineterminator="\n"))
    write_text(RESULTS / "table.md", text)
    return text


if __name__ == "__main__":
    arguments()
    write_table(read_pipeline())
