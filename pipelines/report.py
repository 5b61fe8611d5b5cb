"""Stage `report`: the tables and the curve of README and docs/results.md, from the metrics files.

In a document, what stands between `<!-- generated: NAME -->` and `<!-- end -->` is replaced; all
else is left as it is. Runs in the root of the repository (docs/dvc.yaml).
"""

import csv
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipelines.curves import draw_curves
from pipelines.entry import arguments
from pipelines.layout import Layout
from pipelines.params import PARAMS, Pipeline, section
from pipelines.table import NUMBERS, PERCENT, Row, cell
from pipelines.written import write_text

DOCUMENTS = (Path("README.md"), Path("docs/results.md"))
CURVE = Path("docs/pictures/curve.png")
DEMO, BENCHMARK = Path(), Path("benchmark")
PUBLISHED = BENCHMARK / "published.yaml"
BLOCK = re.compile(r"(<!-- generated: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)

HEADLINE = ("accuracy", "inception_score", "h_y_given_x", "h_y")
SEPARATION = ("static_kept", "static_leak", "swap_dynamic", "swap_static")
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
}
SHARES = {
    *PERCENT,
    "reconstructed_static",
    "reconstructed_dynamic",
    "probe_static_from_dynamic",
    "probe_dynamic_from_static",
}


class ReportError(ValueError):
    """A document asks for what there is not."""


@dataclass(frozen=True)
class Result:
    """A model that has been trained and evaluated."""

    dataset: str
    method: str
    scores: Row
    circumstances: Mapping[str, Any]
    curve: Sequence[Mapping[str, float]]

    @property
    def minutes(self) -> float:
        """How long it was trained."""
        return float(self.circumstances["seconds"]) / 60


def results(folder: Path) -> list[Result]:
    """The models of a pipeline that have been evaluated, in the order of its params.yaml."""
    pipeline = section(Pipeline, "pipeline", path=folder / PARAMS)
    found = (result(folder, each.dataset, each.method) for each in pipeline.models.values())
    return [each for each in found if each is not None]


def result(folder: Path, dataset: str, method: str) -> Result | None:
    """What there is of a model; None if it has not been evaluated yet."""
    scores = folder / Layout(dataset).scores(method)
    if not (scores / "metrics.json").exists():
        return None
    with (scores / "curve.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return Result(
        dataset,
        method,
        json.loads((scores / "metrics.json").read_text()),
        json.loads((scores / "circumstances.json").read_text()),
        [{name: float(value) for name, value in row.items()} for row in rows],
    )


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown."""
    lines = ["| " + " | ".join(titles) + " |", "|" + "---|" * len(titles)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def shown(scores: Row, names: Sequence[str]) -> list[str]:
    """Scores as people read them, with their spread over the sampling seeds."""
    return [cell(scores, name, percent=name in SHARES) for name in names]


def titles(names: Sequence[str]) -> list[str]:
    """What stands above scores."""
    return [TITLES[name] for name in names]


def is_ablation(method: str) -> bool:
    """Whether a method is another one with something changed."""
    return any(part in method for part in ("-no-", "-short", "-clusters-", "-all-frames"))


def is_reseeded(method: str) -> bool:
    """Whether a method is another one trained from another seed."""
    return "-seed-" in method


def main_results(found: Iterable[Result], dataset: str) -> list[Result]:
    """The methods of the paper's table, and ours."""
    return [
        each
        for each in found
        if each.dataset == dataset and not is_ablation(each.method) and not is_reseeded(each.method)
    ]


def headline(found: Sequence[Result]) -> str:
    """The table of the README: every method on every data set."""
    names = (*HEADLINE, *SEPARATION)
    rows = [
        [each.dataset, f"`{each.method}`", *(cell(each.scores, n, spread=False) for n in names)]
        for each in found
        if not is_ablation(each.method) and not is_reseeded(each.method)
    ]
    return table(["data set", "method", *titles(names)], rows)


def against_published(found: Sequence[Result], dataset: str) -> str:
    """One data set: our rows, each with the published figures of its kind below it."""
    published: list[dict[str, Any]] = YAML(typ="safe").load(PUBLISHED)[dataset]
    blank = [""] * (len(SEPARATION) + 2)
    rows = []
    for each in main_results(found, dataset):
        said = [*shown(each.scores, (*HEADLINE, *SEPARATION)), f"{each.minutes:.1f}"]
        rows.append([f"`{each.method}`", *said, f"`{each.circumstances['commit'][:7]}`"])
        kind = [other for other in published if other.get("method") == each.method]
        rows += [[f"published: {other['name']}", *figures(other["row"]), *blank] for other in kind]
    rows += [
        [f"published: {other['name']}", *figures(other["row"]), *blank]
        for other in published
        if "method" not in other
    ]
    above = ["method", *titles((*HEADLINE, *SEPARATION)), "training, min", "commit"]
    return table(above, rows)


def figures(row: Sequence[float]) -> list[str]:
    """Accuracy, IS, H(y|x) and H(y), as printed."""
    accuracy, score, given, entropy = row
    return [f"{accuracy:.2f}", f"{score:.3f}", f"{given:.3g}", f"{entropy:.3f}"]


def judge_line(found: Sequence[Result], dataset: str) -> str:
    """The judge's own figures on the real test clips, and chance."""
    scores = next((each.scores for each in main_results(found, dataset)), {})
    names = (
        "judge_accuracy",
        "judge_inception_score",
        "judge_h_y_given_x",
        "static_chance",
        "dynamic_chance",
    )
    above = ["judge on real clips: worst factor %", "IS", "H(y given x)"]
    shares = {"judge_accuracy", "static_chance", "dynamic_chance"}
    row = [cell(scores, name, percent=name in shares) for name in names]
    return table([*above, "chance, static %", "chance, dynamic %"], [row])


def by_factor(found: Sequence[Result], dataset: str) -> str:
    """Of every static factor what is kept and what leaks."""
    rows, factors = [], []
    for each in main_results(found, dataset):
        factors = [n.removeprefix("kept_") for n in each.scores if n.startswith("kept_")]
        factors = [name for name in factors if not name.endswith("_std")]
        for what in ("kept", "leak"):
            said = [cell(each.scores, f"{what}_{name}", percent=True) for name in factors]
            rows.append([f"`{each.method}`", what, *said])
    return table(["method", "", *factors], rows)


def other_scores(found: Sequence[Result]) -> str:
    """What the main tables leave out."""
    rows = [
        [each.dataset, f"`{each.method}`", *shown(each.scores, REST)]
        for each in found
        if not is_ablation(each.method) and not is_reseeded(each.method)
    ]
    return table(["data set", "method", *titles(REST)], rows)


def ablations(found: Sequence[Result], of: str) -> str:
    """A method at a short budget, and the same with one thing changed."""
    names = (*HEADLINE[:3], *SEPARATION, "drawn_h_y_given_x", "reconstruction_error")
    rows = []
    for each in found:
        kind = each.method.startswith(f"{of}-") and is_ablation(each.method)
        if kind and ("plus" in each.method) == ("plus" in of):
            steps = str(each.circumstances["steps"])
            said = [cell(each.scores, name, percent=name in SHARES) for name in names]
            rows.append([f"`{each.method}`", steps, f"{each.minutes:.1f}", *said])
    return table(["method", "steps", "min", *titles(names)], rows)


def reseeded(found: Sequence[Result]) -> str:
    """The same method and data, trained from different seeds."""
    names = (*HEADLINE, *SEPARATION)
    again = [each for each in found if is_reseeded(each.method)]
    rows = []
    for each in again:
        first = next(
            other
            for other in found
            if (other.dataset, other.method) == (each.dataset, each.method.split("-seed-")[0])
        )
        rows += [
            [one.dataset, f"`{one.method}`", *shown(one.scores, names)] for one in (first, each)
        ]
    return table(["data set", "method", *titles(names)], rows)


def curves(found: Sequence[Result]) -> str:
    """Draw the scores of models whose earlier states were kept; a link to the picture."""
    kept = [each for each in found if each.curve]
    draw_curves(
        CURVE,
        {
            f"{each.method} on {each.dataset}": [
                {**row, "minutes": each.minutes * row["step"] / each.circumstances["steps"]}
                for row in each.curve
            ]
            for each in kept
        },
    )
    return f"![scores against minutes of training]({CURVE.relative_to('docs')})\n"


def blocks(demo: Sequence[Result], benchmark: Sequence[Result]) -> dict[str, Callable[[], str]]:
    """What documents may ask for, by name."""
    every = [*demo, *benchmark]
    named: dict[str, Callable[[], str]] = {
        "headline": lambda: headline(every),
        "other": lambda: other_scores(every),
        "seeds": lambda: reseeded(benchmark),
        "curves": lambda: curves(benchmark),
        "ablations-s3vae": lambda: ablations(benchmark, "s3vae"),
        "ablations-s3vae-plus": lambda: ablations(benchmark, "s3vae-plus"),
        "dsprites": lambda: headline(demo),
        "dsprites-factors": lambda: by_factor(demo, "dsprites"),
        "dsprites-judge": lambda: judge_line(demo, "dsprites"),
    }
    for dataset in ("sprites", "smmnist"):
        named |= {
            dataset: lambda name=dataset: against_published(benchmark, name),  # type: ignore[misc]
            f"{dataset}-factors": lambda name=dataset: by_factor(benchmark, name),  # type: ignore[misc]
            f"{dataset}-judge": lambda name=dataset: judge_line(benchmark, name),  # type: ignore[misc]
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
