"""The results table: every row has every metric, in every form that is written."""

from pathlib import Path

import pandas as pd
import pytest

from pipelines.io import write_csv, write_json
from pipelines.params import Chosen, Pipeline, write_settings
from pipelines.paths import Layout
from pipelines.reporting.score_table import SECONDS_PER_STEP, results_table
from pipelines.stages.table import write_table
from s3vae.evaluation.metrics import NOT_JUDGED, metric, names

pytestmark = pytest.mark.usefixtures("folder")
SAMPLED = names("headline", "separation")
TOY = Pipeline(
    datasets={"toy": "toy.py"},
    models={f"toy-{method}": Chosen("toy", method) for method in ("ours", "later", "theirs")},
    code="./",
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to a folder where two methods have been evaluated, one without a static factor."""
    monkeypatch.chdir(tmp_path)
    encoders = {"ours": "objects", "later": "patch", "theirs": "patch"}
    methods = {name: {"architecture": {"encoder": each}} for name, each in encoders.items()}
    pipeline = {"datasets": {}, "models": {}, "code": "./"}
    write_settings(tmp_path, {"pipeline": pipeline, "datasets": {"toy": {"methods": methods}}})
    sampled = {name: 0.5 + place / 100 for place, name in enumerate(SAMPLED)}
    scores = {**sampled, **{f"{name}_std": 0.0123 for name in SAMPLED}, "static_chance": 1 / 6}
    write_json(Layout("toy").scores("ours") / "metrics.json", {**scores, "accuracy": 0.98765})
    write_json(Layout("toy").scores("ours") / "environment.json", {"steps": 20, "seconds": 5.0})
    write_json(
        Layout("toy").scores("theirs") / "metrics.json",
        {name: value for name, value in scores.items() if "static" not in name},
    )
    return tmp_path


def test_only_evaluated_models_have_a_row_and_each_has_every_metric_with_its_spread() -> None:
    table = results_table(TOY)
    assert table["method"].tolist() == ["ours", "theirs"]
    columns = [column for name in names() for column in (name, f"{name}_std")]
    assert table.columns.tolist() == ["dataset", "method", *columns, SECONDS_PER_STEP, NOT_JUDGED]
    assert table.loc[0, ["accuracy", "static_leakage_std"]].tolist() == [0.98765, 0.0123]
    assert table.loc[0, "static_chance_std"] == 0  # no draw enters it


def test_without_models_or_times_there_is_a_table_all_the_same() -> None:
    nothing = Pipeline(datasets={}, models={}, code="./")
    assert write_table(nothing).startswith("Nothing of this has been run yet.")
    (Layout("toy").scores("ours") / "environment.json").unlink()
    assert write_table(TOY).splitlines()[2].endswith("| - |")


def test_an_undefined_score_is_empty_and_so_is_its_spread() -> None:
    write_table(TOY)
    row = pd.read_csv("results/table.csv").loc[1]
    for name in ("static_preserved", "static_leakage", "static_chance", "swap_static"):
        assert row[[name, f"{name}_std"]].isna().all()


def test_csv_and_markdown_have_the_same_bytes_each_time_and_csv_is_exact(folder: Path) -> None:
    def written() -> list[bytes]:
        assert write_table(TOY) == (folder / "results" / "table.md").read_text()
        return [path.read_bytes() for path in sorted((folder / "results").glob("table.*"))]

    assert written() == written()
    read, table = pd.read_csv("results/table.csv", dtype=str), results_table(TOY)
    assert read.columns.tolist() == table.columns.tolist()
    assert read["accuracy"].astype(float).tolist() == table["accuracy"].tolist()


def test_markdown_has_percentages_with_spread_and_a_dash_for_an_undefined_score() -> None:
    judged, *_ = write_table(TOY).split("\n\n")
    head, line, *rows = (row.strip("| \n").split("|") for row in judged.splitlines())
    assert len(head) == len(line) == len(rows[0]) == len(rows[1])
    ours, theirs = (
        dict(zip(map(str.strip, head), map(str.strip, row), strict=True)) for row in rows
    )
    assert (ours["data set"], ours["method"], ours["Acc %"]) == ("toy", "`ours` †", "98.77 ± 1.23")
    assert ours["H(y)"] == "0.530 ± 0.012"
    assert (ours["s/step"], theirs["s/step"]) == ("0.250", "-")
    assert theirs["method"] == "`theirs`"
    assert theirs[metric("static_leakage").title] == "-"


def test_a_model_that_is_not_judged_has_its_reason_and_a_line_for_each_label_free_measure() -> None:
    scores = {"flow_cosine": 0.9, "flow_cosine_other": 0.1, "flow_cosine_floor": 0.95}
    write_json(Layout("toy").scores("later") / "metrics.json", {**scores, NOT_JUDGED: "no labels"})
    text = write_table(TOY)
    assert "- toy `later` is not judged: no labels\n" in text
    assert "`ours` is not judged" not in text
    line = "| toy | `later` | flow: cosine | higher | 0.900 | 0.100 | 0.950 | - |"
    assert text.splitlines()[-1] == line
    assert pd.read_csv("results/table.csv")[NOT_JUDGED][1] == "no labels"


def test_drawn_clips_have_a_line_for_each_measure_with_what_it_compares_with() -> None:
    scores = {"generated_recall_standard": 0.25, "generated_recall_real": 0.9}
    write_json(Layout("toy").scores("later") / "metrics.json", scores)
    line = "| toy | `later` | drawn: recall % | higher | - | 25.00 | - | - | 90.00 |"
    assert line in write_table(TOY).splitlines()


def test_a_score_that_is_not_finite_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"accuracy": float("nan")})
    assert not path.exists()


def test_rows_of_unequal_keys_share_one_header_and_leave_gaps(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    write_csv(path, [{"step": 1, "loss": 2.5}, {"step": 2, "loss": 2.0, "val_loss": 3.0}])
    assert path.read_text() == "step,loss,val_loss\n1,2.5,\n2,2.0,3.0\n"
