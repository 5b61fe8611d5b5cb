"""The tables of the report, as Markdown."""

import re

import pandas as pd

from pipelines.io import read_yaml
from pipelines.paths import BENCHMARK
from pipelines.reporting.results import timed_curve
from pipelines.reporting.score_table import markdown, not_judged, texts
from s3vae.evaluation.metrics import (
    GENERATED,
    MEASURED,
    METRICS,
    REFERENCES,
    metric,
    names,
    score_text,
)

PUBLISHED = BENCHMARK / "published.yaml"
TRAINING = ("min", "commit")
SEPARATION = (*names("separation"), "sample_score")
UNENCODED = "*"
"""Marks scores of a generator without an encoder, which compare only to its own kind."""
REQUIRED = ("accuracy", "inception_score", "static_preserved")
LEAST_PRESERVED = 0.8
"""Required beside the published row, which does not test static codes."""
ARROWS = {"higher": "↑", "lower": "↓"}
"""The direction of improvement, behind the title of a measure."""


def methods(results: pd.DataFrame, *datasets: str) -> pd.DataFrame:
    """Return the rows of methods, not of their variants, on these data sets or on all."""
    chosen = results["varies"].isna()
    return results[chosen & (results["data set"].isin(datasets) if datasets else True)]


def marked(results: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Return columns as text, with separation scores of generators without an encoder marked."""
    table = texts(results, columns)
    for name in SEPARATION:
        if name in columns:
            rows = results["encodes"].eq(False) & results[name].notna()
            table.loc[rows, metric(name).title] += UNENCODED
    return table


def with_best(results: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Return columns as text, with the best scores of the paper and of separation bold."""
    table = marked(results, *columns)
    for name in {*columns} & {*names("headline"), *SEPARATION}:
        title = metric(name).title
        table.loc[is_best(results, name), title] = "**" + table[title] + "**"
    return table


def is_best(results: pd.DataFrame, name: str) -> "pd.Series[bool]":
    """Return which scores are the best one or reach it by its deviation and their own.

    Leakage is best at chance. Separation scores of generators without an encoder do not compete.
    """
    scores = results[name].where(results["encodes"].eq(True) | (name not in SEPARATION))
    if name == "static_leakage":
        scores = -(scores - results["static_chance"]).abs()
    elif metric(name).better == "lower":
        scores = -scores
    scores = scores.round(4 if metric(name).unit == "%" else 3)  # as printed
    deviations = results[f"{name}_std"]
    reach = deviations + deviations[scores == scores.max()].max()
    best: pd.Series[bool] = scores.max() - scores <= reach
    return best


def published(dataset: str) -> pd.DataFrame:
    """Return published rows as text; `like` is the method of ours that a row compares with."""
    titles = [metric(name).title for name in names("headline")]
    rows = [
        {
            "data set": dataset,
            "method": f"published: {row['name']}",
            "like": row.get("method"),
            **dict(zip(titles, row["row"].split(), strict=False)),
        }
        for row in read_yaml(PUBLISHED).get(dataset, [])
    ]
    return pd.DataFrame(rows, columns=["data set", "method", "like", *titles])


def against_published(results: pd.DataFrame, dataset: str) -> str:
    """Return the methods on a data set, each followed by the published row of its kind."""
    chosen, theirs = methods(results, dataset), published(dataset)
    table = with_best(chosen, "method", *names("headline"), *SEPARATION, *TRAINING)
    blocks = [
        block
        for index, key in chosen["key"].items()
        for block in (table.loc[[index]], theirs[theirs["like"] == key])
    ]
    others = theirs[~theirs["like"].isin(chosen["key"])]
    stacked = pd.concat([table.iloc[:0], *blocks, others])[table.columns].fillna("")
    # a row ends with its last score: Markdown adds the empty cells behind it
    return re.sub(r"(  \|)+$", "", markdown(stacked), flags=re.MULTILINE)


def side_by_side(results: pd.DataFrame, *datasets: str) -> str:
    """Return the methods on several data sets with Acc and the scores that test both codes."""
    columns = ("data set", "method", "accuracy", *names("separation"), "commit")
    return markdown(marked(methods(results, *datasets), *columns))


def without_labels(results: pd.DataFrame, *datasets: str) -> str:
    """Return a row per label-free measure of all methods on data sets, and what is not judged.

    The reference of the other donor is in table.md alone.
    """
    chosen = methods(results, *datasets)
    measures = [each for each in METRICS if each.group == "label-free" and each.better]
    columns = {"measure": [f"{each.title} {ARROWS[str(each.better)]}" for each in measures]}
    for _, row in chosen.iterrows():
        for end in ("", "_floor", "_null"):
            title = REFERENCES["label-free"].get(end, MEASURED["label-free"])
            cells = [each.text(row.get(f"{each.name}{end}")) for each in measures]
            columns[f"{row['data set']} {row['method']}: {title}"] = cells
    table = pd.DataFrame(columns)
    measured = (table.iloc[:, 1:] != "-").any(axis=1)
    return f"{markdown(table[measured])}\n{not_judged(chosen)}".rstrip() + "\n"


def drawn_clip_scores(results: pd.DataFrame) -> str:
    """Return scores of clips of which both codes are drawn: learned prior/N(0, I)/train clips.

    Of the first method of each data set that has these scores; table.md has all methods.
    """
    scored = methods(results).dropna(subset="generated_distance_standard")
    scored = scored.drop_duplicates("data set")
    ends = ("", "_standard", "_train")
    columns = {
        each.title.removeprefix("drawn: "): [
            "/".join(each.text(row.get(f"{each.name}{end}")) for end in ends)
            for _, row in scored.iterrows()
        ]
        for each in GENERATED
        if each.name not in ("generated_diversity", "generated_copies")
    }
    table = pd.DataFrame(columns, index=scored.index)
    return markdown(scored[["data set", "method"]].join(table))


def judge_lines(results: pd.DataFrame) -> str:
    """Return the judge's scores on the real clips of each data set, and chance."""
    first = methods(results).drop_duplicates("data set")
    return markdown(texts(first, ["data set", *names("judge")]))


def minutes_to_the_published_row(results: pd.DataFrame, dataset: str) -> str:
    """Return the minutes until a training reached S3VAE's published accuracy and IS."""
    theirs = published(dataset).set_index("like").loc["s3vae"]
    percent, score = (float(str(theirs[metric(n).title])) for n in REQUIRED[:2])
    least = pd.Series([percent / 100, score, LEAST_PRESERVED], index=list(REQUIRED))
    title = f"minutes to Acc {percent} %, IS {score}, static preserved {LEAST_PRESERVED:.0%}"
    rows = []
    for _, row in methods(results, dataset).iterrows():
        curve = timed_curve(row)
        if not curve.empty:
            reached = curve.loc[(curve[list(REQUIRED)] >= least).all(axis=1), "minutes"]
            text = "not reached" if reached.empty else f"{reached.iloc[0]:.1f}"
            rows.append([f"`{row['key']}`", text, row["commit"]])
    return markdown(pd.DataFrame(rows, columns=["method", title, "commit"]))


def by_factor(results: pd.DataFrame, dataset: str) -> str:
    """Return static preservation and leakage of every static factor, without deviations.

    Generators without an encoder are left out.
    """
    encoded = methods(results, dataset)
    chosen = encoded[encoded["encodes"].eq(True)].dropna(axis=1, how="all")
    columns = chosen.columns[chosen.columns.str.startswith("preserved_")]
    factors = [name.removeprefix("preserved_") for name in columns if not name.endswith("_std")]
    rows = []
    for _, row in chosen.iterrows():
        for kind in ("preserved", "leakage"):
            scores = [score_text(row[f"{kind}_{name}"], None, "%") for name in factors]
            rows.append([row["method"], kind, *scores])
    return markdown(pd.DataFrame(rows, columns=["method", "", *factors]))


def ablations(results: pd.DataFrame, dataset: str, of: str, also: tuple[str, ...] = ()) -> str:
    """Return the variants of a method, and the method itself if its number of steps is theirs.

    Deviations of single trainings are left out: they are of sampling, while variants differ by
    training too.
    """
    columns = ("method", "accuracy", "swap_dynamic", "swap_static", *also, "commit")
    varied = results[(results["varies"] == of) & (results["data set"] == dataset)]
    full = methods(results, dataset)
    full = full[full["key"] == of]
    if set(full["steps"]) == set(varied["steps"]):
        varied = pd.concat([full, varied])
    deviations = [f"{name}_std" for name in columns if name in names()]
    single = varied["trainings"] == 1
    certain = varied[deviations].mask(single, 0.0)
    return markdown(marked(varied.assign(**certain), *columns))
