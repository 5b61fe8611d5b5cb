"""Every score of every model of a pipeline, as a data frame and as Markdown."""

import json
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from pipelines.params import Pipeline
from pipelines.paths import Layout
from pipelines.reporting.results import HAND_BUILT
from pipelines.reporting.score_table import (
    MODEL,
    markdown,
    not_judged,
    reference_table,
    score_table,
    texts,
)
from s3vae.evaluation.metrics import NOT_JUDGED, Group, names, score_text

LABELS = ("dataset", "method")
JUDGED: tuple[Group, ...] = (
    "headline",
    "separation",
    "intervention",
    "draws",
    "reconstruction",
    "probes",
    "judge",
)
"""The groups of the first table."""
SECONDS_PER_STEP = "seconds_per_step"


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
    columns = [column for name in names() for column in (name, f"{name}_std")]
    return score_table(rows).reindex(columns=[*LABELS, *columns, SECONDS_PER_STEP, NOT_JUDGED])


def seconds_per_step(path: Path) -> float | None:
    """Return the seconds of a step of a training, if its file is there."""
    if not path.exists():
        return None
    training = json.loads(path.read_text())
    return float(training["seconds"]) / int(training["steps"])


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
    parts = (
        markdown(texts(labelled, [*MODEL, *names(*JUDGED), "s/step"])),
        not_judged(labelled),
        f"{HAND_BUILT.strip()} The network has a hand-built prior of two objects.\n",
        "Both codes drawn:\n",
        reference_table(labelled, "generation"),
        "Without a judge:\n",
        reference_table(labelled, "label-free"),
    )
    return "\n".join(parts)
