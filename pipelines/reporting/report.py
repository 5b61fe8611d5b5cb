"""Stage `report`: the tables and the curve of docs/results.md, from the metrics of the benchmark.

Replaces the text between `<!-- generated: NAME -->` and `<!-- end -->` and leaves the rest. Runs in
the root of the repository (docs/dvc.yaml).
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pandas as pd

from pipelines.cli import arguments
from pipelines.io import write_text
from pipelines.paths import BENCHMARK
from pipelines.reporting import tables
from pipelines.reporting.curves import draw_curves
from pipelines.reporting.results import results, row_per_method, timed_curve

DOCUMENTS = (Path("docs/results.md"),)
FACES = ("distances_explained",)
"""Further metrics of the ablations on faces."""
PARTS = ("static_preserved", "generated_distance")
"""Further metrics of the ablations of `s3vae-plus`."""
GENERAL = ("static_preserved", "static_leakage", "reconstructed_static")
"""Further metrics of the general network on moving digits."""
CURVE = Path("docs/pictures/curve.png")
MAIN = ("sprites", "smmnist", "faces", "weizmann")
"""Data sets with a section and tables of all scores."""
JUDGED = (*MAIN, "grid", "dsprites")
"""Data sets whose judges are listed; those of their variants are in table.md."""
DEPENDENT = ("dsprites", "dsprites-dependent-50", "dsprites-dependent-90")
"""Data sets whose motion depends on colour, from not at all to mostly."""
BLOCK = re.compile(r"(<!-- generated: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


class ReportError(ValueError):
    """A document names a generated part that does not exist."""


def curves(found: pd.DataFrame) -> str:
    """Draw the scores of models that left snapshots, and return a link to the picture."""
    timed = {f"{row['key']} on {row['data set']}": timed_curve(row) for _, row in found.iterrows()}
    draw_curves(CURVE, {name: curve for name, curve in timed.items() if not curve.empty})
    return f"![scores against minutes of training]({CURVE.relative_to('docs')})\n"


def blocks(benchmark: pd.DataFrame) -> dict[str, Callable[[], str]]:
    """Return the generated parts by name, each as a function that computes it."""
    named: dict[str, Callable[[], str]] = {
        "grid": lambda: tables.without_labels(benchmark, "grid"),
        "drawn": lambda: tables.drawn_clip_scores(
            benchmark[~benchmark["data set"].isin(DEPENDENT[1:])]
        ),
        "judges": lambda: tables.judge_lines(benchmark[benchmark["data set"].isin(JUDGED)]),
        "curves": lambda: curves(tables.methods(benchmark)),
        "dependence": lambda: tables.side_by_side(benchmark, *DEPENDENT),
        "pairs": lambda: tables.side_by_side(benchmark, "weizmann-pairs"),
        "smmnist-general": lambda: tables.ablations(benchmark, "smmnist", "s3vae", GENERAL),
        "dsprites-parts": lambda: tables.ablations(benchmark, "dsprites", "s3vae-plus", PARTS),
        "sprites-signals": lambda: tables.ablations(benchmark, "sprites", "s3vae"),
        "faces-signals": lambda: tables.ablations(benchmark, "faces", "s3vae", FACES),
    }
    for dataset in MAIN:
        named |= {
            dataset: partial(tables.against_published, benchmark, dataset),
            f"{dataset}-factors": partial(tables.by_factor, benchmark, dataset),
            f"{dataset}-minutes": partial(tables.minutes_to_the_published_row, benchmark, dataset),
        }
    return named


def fill(text: str, known: Mapping[str, Callable[[], str]]) -> str:
    """Return a document with its generated parts replaced. Raises ReportError for unknown names."""

    def replaced(match: re.Match[str]) -> str:
        name = match[2]
        if name not in known:
            msg = f"there is no generated part {name!r}, only {', '.join(sorted(known))}"
            raise ReportError(msg)
        return f"{match[1]}\n{known[name]()}\n{match[3]}"

    return BLOCK.sub(replaced, text)


def report() -> None:
    """Write the generated parts of every document."""
    known = blocks(row_per_method(results(BENCHMARK)))
    for document in DOCUMENTS:
        write_text(document, fill(document.read_text(), known))


if __name__ == "__main__":
    arguments()
    report()
