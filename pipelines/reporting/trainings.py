"""Trainings of one method from several seeds, as one row of a table."""

import pandas as pd


def row_per_method(found: pd.DataFrame) -> pd.DataFrame:
    """Return a row per method: means of its trainings, and their deviation.

    The number of several trainings stands behind the method. A score that only one of them has
    keeps its deviation over sampling seeds. Other columns are those of the first training. Raises
    ValueError if trainings of a method differ in steps or threads.
    """
    if found.empty:
        return found.assign(min=None)
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
        method=found["method"].where(count == 1, found["method"] + count.map(" ({})".format)),
        commit=groups["commit"].transform(lambda commits: ", ".join(commits.unique())),
        min=[*map(minutes, groups["seconds"].transform("mean"), found["threads"])],
    )
    return pd.concat([means, deviations, others], axis=1)[groups.cumcount() == 0]


def minutes(seconds: float, threads: int) -> str:
    """Return the minutes of a training as text, which names its threads if there are several."""
    on_threads = "" if threads == 1 else f" on {threads} threads"
    return f"{seconds / 60:.1f}{on_threads}"
