"""Trainings of one method from several seeds, as one row of a table."""

import pandas as pd


def over_trainings(found: pd.DataFrame) -> pd.DataFrame:
    """Return a row per method: means of its trainings, and their deviation.

    The number of several trainings stands behind the method. One training keeps its deviation over
    sampling seeds. Other columns are those of the training from the first seed.
    """
    if found.empty:
        return found.assign(min=None)
    scores = [name.removesuffix("_std") for name in found.columns if name.endswith("_std")]
    groups = found.groupby([found["data set"], found["reseeds"].fillna(found["key"])], sort=False)
    once = groups["key"].transform("size") == 1
    number = groups["key"].transform("size").astype(str)
    means = groups[scores].transform(lambda values: values.mean(skipna=False))
    spread = groups[scores].transform("std", ddof=0).add_suffix("_std")
    own = found[spread.columns]
    others = found.drop(columns=[*means, *spread]).assign(
        method=found["method"].where(once, found["method"] + " (" + number + ")"),
        commit=groups["commit"].transform(lambda commits: ", ".join(commits.unique())),
        min=[*map(minutes, groups["seconds"].transform("mean"), found["threads"])],
    )
    table = pd.concat([means, own.where(once, spread.where(own.notna())), others], axis=1)
    return table[found["reseeds"].isna()]


def minutes(seconds: float, threads: int) -> str:
    """Return the minutes of a training as text, which names its threads if there are several."""
    on_threads = "" if threads == 1 else f" on {threads} threads"
    return f"{seconds / 60:.1f}{on_threads}"
