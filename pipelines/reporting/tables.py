"""The tables of the report, as Markdown, from the models that have been judged."""

from collections.abc import Iterable, Sequence

from ruamel.yaml import YAML

from pipelines.paths import BENCHMARK
from pipelines.reporting.columns import HEADLINE, SEPARATION
from pipelines.reporting.results import UNENCODED, Result
from pipelines.stages.table import NUMBERS, PERCENT, cell, markdown_table

REST_OF_ABLATIONS = ("drawn_h_y_given_x", "reconstruction_error")
PUBLISHED = BENCHMARK / "published.yaml"

REST = (
    "dynamic_follows_static",
    "static_h_y",
    "drawn_h_y",
    "drawn_h_y_given_x",
    "reconstruction_error",
    "reconstructed_static",
    "reconstructed_dynamic",
    "probe_static_from_dynamic",
    "probe_dynamic_from_static",
    "mutual_information",
    "mutual_information_null",
)
TITLES = {
    **PERCENT,
    **NUMBERS,
    "static_h_y": "H(y) of drawn appearance",
    "drawn_h_y": "H(y) of drawn motion",
    "drawn_h_y_given_x": "H(y given x) of drawn motion",
    "reconstruction_error": "reconstruction error",
    "reconstructed_static": "reconstructed: static %",
    "reconstructed_dynamic": "dynamic %",
    "probe_static_from_dynamic": "probe: static from z_t %",
    "probe_dynamic_from_static": "dynamic from z_f %",
    "mutual_information": "mutual information (nats)",
    "mutual_information_null": "its null",
    "distances_explained": "distances read off z_t, R² %",
}
TRAINED = ("min", "threads", "commit")
"""What stands above `Result.trained`."""
LEAST_KEPT = 0.8
"""Beside the published row, which does not ask for it, so that the codes are apart too."""


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown; without rows a line that says so."""
    return markdown_table(titles, rows) if rows else "Nothing of this has been run yet.\n"


def titles(names: Sequence[str]) -> list[str]:
    """What stands above scores."""
    return [TITLES[name] for name in names]


def methods(found: Iterable[Result], *datasets: str) -> list[Result]:
    """The methods of the paper's table and ours, not their variants; of all data sets if none."""
    return [
        each
        for each in found
        if not (each.chosen.varies or each.chosen.reseeds)
        and (not datasets or each.chosen.dataset in datasets)
    ]


def headline(found: Sequence[Result]) -> str:
    """The table of the README: every method on every data set, and what is published of these."""
    names, rows = (*HEADLINE, *SEPARATION), []
    for dataset in dict.fromkeys(each.chosen.dataset for each in found):
        rows += [
            [dataset, f"`{each.chosen.method}`", *each.cells(names, spread=False)]
            for each in methods(found, dataset)
        ]
        rows += [
            [dataset, f"published: {other['name']}", *other["row"].split()] + [""] * len(SEPARATION)
            for other in published(dataset)
        ]
    return table(["data set", "method", *titles(names)], rows)


def published(dataset: str) -> list[dict[str, str]]:
    """What is published of a data set: `name`, `row`, and `method` where ours has a like."""
    rows: list[dict[str, str]] = YAML(typ="safe").load(PUBLISHED).get(dataset, [])
    return rows


def against_published(found: Sequence[Result], dataset: str) -> str:
    """Our rows of a data set, each with the published figures of its kind, if any, below it."""
    names, rows = (*HEADLINE, *SEPARATION), []
    blank = [""] * (len(SEPARATION) + len(TRAINED))
    theirs = {
        other["name"]: [f"published: {other['name']}", *other["row"].split(), *blank]
        for other in published(dataset)
    }
    for each in methods(found, dataset):
        rows.append([f"`{each.chosen.method}`", *each.cells(names), *each.trained])
        kind = [other for other in published(dataset) if other.get("method") == each.chosen.method]
        rows += [theirs.pop(other["name"]) for other in kind]
    return table(["method", *titles(names), *TRAINED], [*rows, *theirs.values()])


def ours(found: Sequence[Result]) -> str:
    """Our rows alone, of all data sets."""
    names = (*HEADLINE, *SEPARATION)
    rows = [
        [each.chosen.dataset, f"`{each.chosen.method}`", *each.cells(names), *each.trained]
        for each in methods(found)
    ]
    return table(["data set", "method", *titles(names), *TRAINED], rows)


def minutes_to_the_published_row(found: Sequence[Result], dataset: str) -> str:
    """When a training first had the accuracy and IS that are published of S3VAE, and kept 80 %."""
    like_ours = next(each for each in published(dataset) if each.get("method") == "s3vae")
    percent, score = map(float, like_ours["row"].split()[:2])
    least = {"accuracy": percent / 100, "inception_score": score, "static_kept": LEAST_KEPT}
    rows = []
    for each in (each for each in methods(found, dataset) if each.curve):
        reached = (
            row["minutes"]
            for row in each.timed_curve
            if all(row[name] >= value for name, value in least.items())
        )
        first = next(reached, None)
        shown = "not reached" if first is None else f"{first:.1f}"
        rows.append([f"`{each.chosen.method}`", shown, *each.trained[1:]])
    wanted = f"Acc {percent} %, IS {score}, kept {LEAST_KEPT:.0%}"
    return table(["method", f"minutes to {wanted}", *TRAINED[1:]], rows)


def judge_lines(found: Sequence[Result], *datasets: str) -> str:
    """Where the clips of data sets are from, the judge's own figures on real ones, and chance."""
    names = (
        "judge_accuracy",
        "judge_inception_score",
        "judge_h_y_given_x",
        "static_chance",
        "dynamic_chance",
    )
    shares = {"judge_accuracy", "static_chance", "dynamic_chance"}
    rows = [
        [each.source, *(cell(each.scores, name, percent=name in shares) for name in names)]
        for dataset in datasets
        for each in methods(found, dataset)[:1]
    ]
    above = ["clips from", "judge on real clips: worst factor %", "IS", "H(y given x)"]
    return table([*above, "chance, static %", "chance, dynamic %"], rows)


def by_factor(found: Sequence[Result], dataset: str) -> str:
    """Of every static factor what is kept and what leaks."""
    rows, factors = [], []
    for each in methods(found, dataset):
        factors = [n.removeprefix("kept_") for n in each.scores if n.startswith("kept_")]
        factors = [name for name in factors if not name.endswith("_std")]
        for what in ("kept", "leak"):
            said = [cell(each.scores, f"{what}_{name}", percent=True) for name in factors]
            mark = "" if each.encodes else UNENCODED
            rows.append([f"`{each.chosen.method}`", what, *(f"{text}{mark}" for text in said)])
    return table(["method", "", *factors], rows)


def other_scores(found: Sequence[Result]) -> str:
    """What the main tables leave out."""
    rows = [
        [each.chosen.dataset, f"`{each.chosen.method}`", *each.cells(REST)]
        for each in methods(found)
    ]
    return table(["data set", "method", *titles(REST)], rows)


def ablations(
    found: Sequence[Result], dataset: str, of: str, also: Sequence[str] = REST_OF_ABLATIONS
) -> str:
    """The variants of a method, and the method itself if they have its budget.

    `also` are further scores to tell.
    """
    names = (*HEADLINE[:3], *SEPARATION, *also)
    varied = [each for each in found if (each.chosen.varies, each.chosen.dataset) == (of, dataset)]
    full = [each for each in methods(found, dataset) if each.chosen.method == of]
    budgets = {each.circumstances["steps"] for each in varied}
    if {each.circumstances["steps"] for each in full} == budgets:
        varied = [*full, *varied]
    rows = [
        [
            f"`{each.chosen.method}`",
            str(each.circumstances["steps"]),
            *each.trained,
            *each.cells(names),
        ]
        for each in varied
    ]
    return table(["method", "steps", *TRAINED, *titles(names)], rows)


def reseeded(found: Sequence[Result]) -> str:
    """Methods that were trained from several seeds, with each training in a row."""
    names = (*HEADLINE, *SEPARATION)
    again = {(each.chosen.dataset, each.chosen.reseeds) for each in found if each.chosen.reseeds}
    rows = [
        [each.chosen.dataset, f"`{each.chosen.method}`", *each.cells(names), *each.trained]
        for dataset, method in sorted(again, key=str)
        for each in found
        if each.chosen.dataset == dataset and method in (each.chosen.reseeds, each.chosen.method)
    ]
    return table(["data set", "method", *titles(names), *TRAINED], rows)
