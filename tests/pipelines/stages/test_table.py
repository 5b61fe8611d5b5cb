"""The results table: every row has every column, in every form it is written in."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.io import write_csv, write_json, write_text
from pipelines.params import Chosen, Pipeline
from pipelines.paths import Layout
from pipelines.stages.table import markdown, row, rows, write_table

SAMPLED = (
    "accuracy",
    "inception_score",
    "h_y_given_x",
    "h_y",
    "static_kept",
    "static_leak",
    "swap_dynamic",
    "swap_static",
)
REQUIRED = (*SAMPLED, "static_chance")
TOY = Pipeline(
    datasets={"toy": "toy.py"},
    models={f"toy-{method}": Chosen("toy", method) for method in ("ours", "theirs")},
    code="./",
)


def scores(**changes: float) -> dict[str, float]:
    """Scores as an evaluation writes them."""
    sampled = {name: 0.5 + place / 100 for place, name in enumerate(SAMPLED)}
    spreads = {f"{name}_std": 0.0123 for name in SAMPLED}
    return {**sampled, **spreads, "static_chance": 1 / 6, **changes}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go where two methods have been evaluated on one data set."""
    monkeypatch.chdir(tmp_path)
    for method, accuracy in (("ours", 0.99), ("theirs", 0.9)):
        evaluated("toy", method, scores(accuracy=accuracy))
    return tmp_path


def evaluated(dataset: str, method: str, found: dict[str, float]) -> None:
    write_json(Layout(dataset).scores(method) / "metrics.json", found)


@pytest.mark.usefixtures("folder")
def test_a_row_carries_every_required_score_and_its_spread() -> None:
    found = row("toy", "ours")
    assert (found["dataset"], found["method"], found["accuracy"]) == ("toy", "ours", 0.99)
    for name in REQUIRED:
        assert isinstance(found[name], float)
        assert f"{name}_std" in found
    assert found["static_leak_std"] == 0.0123


@pytest.mark.usefixtures("folder")
def test_a_score_that_is_not_defined_is_null() -> None:
    """A data set of one appearance has no leak."""
    evaluated("still", "ours", {k: v for k, v in scores().items() if "static" not in k})
    found = row("still", "ours")
    for name in ("static_kept", "static_leak", "static_chance", "swap_static"):
        assert found[name] is None
        assert found[f"{name}_std"] is None


@pytest.mark.usefixtures("folder")
def test_a_score_that_no_draw_enters_has_no_spread() -> None:
    assert row("toy", "ours")["static_chance_std"] == 0


@pytest.mark.usefixtures("folder")
def test_every_row_has_the_same_columns() -> None:
    evaluated("still", "ours", {"accuracy": 1.0})
    columns = [list(row(*of)) for of in (("toy", "ours"), ("toy", "theirs"), ("still", "ours"))]
    assert columns[0] == columns[1] == columns[2]


def test_a_model_that_was_not_evaluated_is_missed_by_name(folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match="toy/nobodys"):
        row("toy", "nobodys")


@pytest.mark.usefixtures("folder")
def test_models_that_are_not_evaluated_yet_are_left_out_of_the_table() -> None:
    """So that a benchmark which takes hours has a table on the way."""
    more = Pipeline({"toy": "toy.py"}, {**TOY.models, "toy-later": Chosen("toy", "later")}, "./")
    assert [each["method"] for each in rows(more)] == ["ours", "theirs"]


def test_the_table_is_written_as_json_csv_and_markdown_with_the_same_rows(folder: Path) -> None:
    text = write_table(TOY)
    written: list[dict[str, Any]] = json.loads((folder / "results" / "table.json").read_text())
    assert [(each["dataset"], each["method"]) for each in written] == [
        ("toy", "ours"),
        ("toy", "theirs"),
    ]
    with (folder / "results" / "table.csv").open(newline="") as file:
        told = list(csv.DictReader(file))
    assert [each["accuracy"] for each in told] == ["0.99", "0.9"]
    assert list(told[0]) == list(written[0])
    assert (folder / "results" / "table.md").read_text() == text


def test_the_table_is_the_same_bytes_each_time(folder: Path) -> None:
    def written() -> list[bytes]:
        write_table(TOY)
        return [path.read_bytes() for path in sorted((folder / "results").glob("table.*"))]

    assert written() == written()


def test_people_read_percent_with_spread_and_a_dash_where_nothing_is() -> None:
    found: dict[str, str | float | None] = {"dataset": "toy", "method": "ours"}
    found |= {"accuracy": 0.98765, "accuracy_std": 0.0123, "h_y": 2.19722, "h_y_std": 0.001}
    title, line, first = markdown([found]).splitlines()
    assert title.startswith("| data set | method | Acc % |")
    cells = [cell.strip() for cell in first.strip("|").split("|")]
    assert cells[:3] == ["toy", "`ours`", "98.77 ± 1.23"]
    assert "2.197 ± 0.001" in cells
    assert "-" in cells
    assert title.count("|") == line.count("|") == first.count("|")


def test_a_number_that_is_none_is_not_written(tmp_path: Path) -> None:
    """A mended file is better than one that other readers of JSON refuse."""
    path = tmp_path / "metrics.json"
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"accuracy": float("nan")})
    assert not path.exists()


def test_rows_of_unequal_keys_share_one_header_and_leave_gaps(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    write_csv(path, [{"step": 1, "loss": 2.5}, {"step": 2, "loss": 2.0, "val_loss": 3.0}])
    assert path.read_text() == "step,loss,val_loss\n1,2.5,\n2,2.0,3.0\n"


def test_text_is_written_as_it_is(tmp_path: Path) -> None:
    write_text(tmp_path / "deep" / "table.md", "| a |\n")
    assert (tmp_path / "deep" / "table.md").read_text() == "| a |\n"
