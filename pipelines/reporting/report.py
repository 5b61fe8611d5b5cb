"""Stage `report`: the tables and the curve of README and docs/results.md, from the metrics files.

In a document, what stands between `<!-- generated: NAME -->` and `<!-- end -->` is replaced; all
else is left as it is. Runs in the root of the repository (docs/dvc.yaml).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from pipelines.cli import arguments
from pipelines.io import write_text
from pipelines.paths import BENCHMARK
from pipelines.reporting.curves import draw_curves
from pipelines.reporting.results import Result, results
from pipelines.reporting.tables import (
    ablations,
    against_published,
    by_factor,
    headline,
    judge_lines,
    minutes_to_the_published_row,
    other_scores,
    ours,
    reseeded,
)

DOCUMENTS = (Path("docs/results.md"),)
DISTANCES_READ = ("drawn_h_y", "distances_explained")
CURVE = Path("docs/pictures/curve.png")
DEMO = Path()
BLOCK = re.compile(r"(<!-- generated: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


class ReportError(ValueError):
    """A document asks for what there is not."""


def curves(found: Sequence[Result]) -> str:
    """Draw the scores of models whose earlier states were kept; a link to the picture."""
    drawn = {
        f"{each.chosen.method} on {each.chosen.dataset}": each.timed_curve
        for each in found
        if each.curve
    }
    draw_curves(CURVE, drawn)
    return f"![scores against minutes of training]({CURVE.relative_to('docs')})\n"


def blocks(demo: Sequence[Result], benchmark: Sequence[Result]) -> dict[str, Callable[[], str]]:
    """What documents may ask for, by name."""
    again = {each.chosen.dataset for each in benchmark}
    every = [*(each for each in demo if each.chosen.dataset not in again), *benchmark]
    named: dict[str, Callable[[], str]] = {
        "headline": lambda: headline(every),
        "other": lambda: other_scores(every),
        "seeds": lambda: reseeded(benchmark),
        "curves": lambda: curves(benchmark),
        "ablations-s3vae": lambda: ablations(benchmark, "sprites", "s3vae"),
        "ablations-s3vae-plus": lambda: ablations(benchmark, "sprites", "s3vae-plus"),
        "faces-signals": lambda: ablations(benchmark, "faces", "s3vae", DISTANCES_READ),
        "demo": lambda: ours(demo),
        "demo-judges": lambda: judge_lines(demo, *dict.fromkeys(r.chosen.dataset for r in demo)),
        "dsprites-factors": lambda: by_factor(demo, "dsprites"),
    }
    for dataset in ("sprites", "smmnist", "faces"):
        named |= {
            dataset: partial(against_published, benchmark, dataset),
            f"{dataset}-factors": partial(by_factor, benchmark, dataset),
            f"{dataset}-judge": partial(judge_lines, benchmark, dataset),
            f"{dataset}-minutes": partial(minutes_to_the_published_row, benchmark, dataset),
        }
    return named


def fill(text: str, known: Mapping[str, Callable[[], str]]) -> str:
    """A document with every generated part written anew. Raises ReportError for an unknown one."""

    def written(match: re.Match[str]) -> str:
        name = match[2]
        if name not in known:
            msg = f"there is no generated part {name!r}, only {', '.join(sorted(known))}"
            raise ReportError(msg)
        return f"{match[1]}\n{known[name]()}\n{match[3]}"

    return BLOCK.sub(written, text)


def report() -> None:
    """Write every document anew."""
    known = blocks(results(DEMO), results(BENCHMARK))
    for document in DOCUMENTS:
        write_text(document, fill(document.read_text(), known))


if __name__ == "__main__":
    arguments()
    report()
