"""Trained and evaluated models of a pipeline, read for the report."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from pipelines.dvc_lock import judged_by_the_judge, stages
from pipelines.io import read_yaml
from pipelines.params import Chosen, config_of, read_pipeline
from pipelines.paths import Layout
from pipelines.reporting.score_table import HAND_BUILT, score_table
from s3vae.evaluation.metrics import NOT_JUDGED

LABELS = (
    "data set",
    "method",
    "key",
    "varies",
    "reseeds",
    "encodes",
    "curve",
    "steps",
    "seconds",
    "threads",
    "commit",
    NOT_JUDGED,
)
"""Columns beside the scores; `key` is the method's name in params.yaml."""
FILES = ("metrics", "environment", "provenance-train", "provenance-evaluate")


def results(folder: Path) -> pd.DataFrame:
    """Return a row per model that was scored by the current judge, in the order of params.yaml."""
    pipeline, locked = read_pipeline(folder), stages(folder)
    chosen = [each for each in pipeline.models.values() if judged_by_the_judge(locked, each)]
    rows = []
    for each in chosen:
        if (row := result(folder, each)) is not None:
            mark = HAND_BUILT if has_tracker(folder, each) else ""
            rows.append({**row, "method": f"{row['method']}{mark}"})
    return result_table(rows)


def result_table(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Return rows as a frame that has all columns even without rows."""
    table = score_table(rows)
    missing = [name for name in LABELS if name not in table.columns]
    return pd.concat([table, pd.DataFrame(columns=missing, index=table.index)], axis=1)


def result(folder: Path, chosen: Chosen) -> dict[str, object] | None:
    """Return the scores and provenance of a model, or None if its scores are older than it."""
    scores = folder / Layout(chosen.dataset).scores(chosen.method)
    paths = {name: scores / f"{name}.json" for name in FILES}
    if not all(path.exists() for path in paths.values()):
        return None
    contents = {name: json.loads(path.read_text()) for name, path in paths.items()}
    trained, evaluated = (
        contents[f"provenance-{stage}"]["weights_sha256"] for stage in ("train", "evaluate")
    )
    if trained != evaluated:
        return None
    return {
        **contents["metrics"],
        "data set": chosen.dataset,
        "method": f"`{chosen.method}`",
        "key": chosen.method,
        "varies": chosen.varies,
        "reseeds": chosen.reseeds,
        "encodes": "reconstruction_error" in contents["metrics"],
        "curve": scores / "curve.csv",
        **training(**contents["environment"]),
    }


def has_tracker(folder: Path, chosen: Chosen) -> bool:
    """Return whether a method uses the hand-built prior of two objects (model/two_objects)."""
    settings = read_yaml(config_of(chosen.dataset, folder))["methods"][chosen.method]
    parts = settings["architecture"]
    return "objects" in parts.values() or "sprites" in parts.values()


def training(
    commit: str, changed: bool, steps: int, seconds: float, threads: int, **_: object
) -> dict[str, object]:
    """Return the columns about a training; `+` marks code that differed from the commit."""
    return {
        "steps": str(steps),
        "seconds": seconds,
        "threads": threads,
        "commit": f"`{commit[:7]}{'+' if changed else ''}`",
    }


def timed_curve(row: "pd.Series[Any]") -> pd.DataFrame:
    """Return the scores of a model's snapshots with the `minutes` of training up to each."""
    path = Path(str(row["curve"]))
    if not path.exists() or not path.read_text().strip():
        return pd.DataFrame()
    curve = pd.read_csv(path, dtype=str).astype(float)  # exactly the floats that were written
    minutes_per_step = float(row["seconds"]) / int(row["steps"]) / 60
    return curve.assign(minutes=minutes_per_step * curve["step"])


def row_per_method(found: pd.DataFrame) -> pd.DataFrame:
    """Return a row per method: means of its trainings, and their deviation.

    The number of several trainings stands behind the method. A score that only one of them has
    keeps its deviation over sampling seeds. Other columns are those of the first training. Raises
    ValueError if trainings of a method differ in steps or threads.
    """
    if found.empty:
        return found.assign(min=None, trainings=None)
    scores = [name.removesuffix("_std") for name in found.columns if name.endswith("_std")]
    groups = found.groupby([found["data set"], found["reseeds"].fillna(found["key"])], sort=False)
    for name in ("steps", "threads"):
        unequal = groups[name].transform("nunique") > 1
        if unequal.any():
            row = found[unequal].iloc[0]
            msg = f"trainings of {row['method']} on {row['data set']} differ in {name}: train anew"
            raise ValueError(msg)
    count = groups["key"].transform("size")
    means, known = groups[scores].transform("mean"), groups[scores].transform("count")
    over_seeds = groups[[f"{name}_std" for name in scores]].transform("mean")
    over_trainings = groups[scores].transform("std", ddof=0).add_suffix("_std")
    deviations = over_seeds.where(known.to_numpy() == 1, over_trainings)
    deviations = deviations.where(means.notna().to_numpy())
    others = found.drop(columns=[*means, *deviations]).assign(
        trainings=count,
        method=found["method"].where(count == 1, found["method"] + count.map(" ({})".format)),
        commit=groups["commit"].transform(lambda commits: ", ".join(commits.unique())),
        min=[*map(minutes, groups["seconds"].transform("mean"), found["threads"])],
    )
    return pd.concat([means, deviations, others], axis=1)[groups.cumcount() == 0]


def minutes(seconds: float, threads: int) -> str:
    """Return the minutes of a training as text, which names its threads if there are several."""
    on_threads = "" if threads == 1 else f" on {threads} threads"
    return f"{seconds / 60:.1f}{on_threads}"
