"""The generated parts of the documents agree with the metrics files."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipelines.dvc_lock import judged_by_the_judge, stages
from pipelines.io import write_csv, write_json, write_text
from pipelines.params import Chosen, Pipeline
from pipelines.paths import BENCHMARK, Layout
from pipelines.reporting.report import BLOCK, DOCUMENTS, ReportError, blocks, fill
from pipelines.reporting.results import (
    FILES,
    minutes,
    result,
    result_table,
    results,
    row_per_method,
    training,
)
from pipelines.reporting.score_table import results_table, table_markdown
from pipelines.reporting.tables import (
    ablations,
    against_published,
    drawn_clip_scores,
    judge_lines,
    marked,
    minutes_to_the_published_row,
    side_by_side,
    with_best,
    without_labels,
)
from s3vae.evaluation import metrics
from s3vae.evaluation.metrics import METRICS, REFERENCES, Metric

ROOT = Path(__file__).resolve().parents[3]


def model(method: str, accuracy: float, **columns: Any) -> dict[str, object]:
    """Return a model on Sprites, of seven steps."""
    environment = {"commit": "0123456789", "changed": False, "seconds": 90.0, "threads": 1}
    return {
        "accuracy": accuracy,
        "accuracy_std": 0.01,
        "static_preserved": 1.0,
        "data set": "sprites",
        "method": f"`{method}`",
        "key": method,
        "encodes": method != "mocogan",
        **training(**{"steps": 7, **environment}),
        **columns,
    }


MODELS = [
    model("s3vae", 0.987),
    model("mocogan", 0.111),
    model("again", 0.876, reseeds="s3vae", seconds=150.0, commit="`9876543`"),
    model("short", 0.765, varies="s3vae-plus"),
    model("without", 0.543, varies="s3vae"),
]


@pytest.fixture(autouse=True)
def _in_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.fixture
def found() -> pd.DataFrame:
    """Return results of all kinds."""
    return row_per_method(result_table(MODELS))


def test_generated_parts_are_replaced_and_the_rest_stays() -> None:
    text = "before\n<!-- generated: one -->\nold\n<!-- end -->\nbetween\n"
    once = fill(text, {"one": lambda: "new\n"})
    assert once == "before\n<!-- generated: one -->\n\nnew\n\n<!-- end -->\nbetween\n"
    assert fill(once, {"one": lambda: "new\n"}) == once
    assert fill("no marks\n", {}) == "no marks\n"


def test_an_unknown_part_is_refused_with_the_list_of_known_ones() -> None:
    with pytest.raises(ReportError, match="'two', only one"):
        fill("<!-- generated: two -->\n<!-- end -->\n", {"one": str})


def test_a_declared_metric_appears_in_table_and_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = Metric("new_probe", "new probe %", "%", "probes", "higher")
    monkeypatch.setattr(metrics, "METRICS", (*METRICS, new))
    monkeypatch.chdir(tmp_path)
    write_json(Layout("toy").scores("ours") / "metrics.json", {"new_probe": 0.25})
    table = results_table(Pipeline({"toy": "toy.py"}, {"toy-ours": Chosen("toy", "ours")}, ""))
    assert table["new_probe"].tolist() == [0.25]
    text = table_markdown(table)
    assert "new probe %" in text
    assert "| 25.00 |" in text


def test_drawn_clip_scores_of_the_first_scored_method_stand_beside_train_clips() -> None:
    scores = {"generated_recall": 0.5, "generated_recall_standard": 0.25}
    scored = model("s3vae", 0.9, generated_distance_standard=4.0, **scores)
    text = drawn_clip_scores(result_table([model("baseline", 0.9), scored]))
    assert "| sprites | `s3vae` |" in text
    assert "| 50.00/25.00/- |" in text
    assert "baseline" not in text


def test_every_metric_has_a_name_and_a_title_of_its_own() -> None:
    assert len({each.name for each in METRICS}) == len({each.title for each in METRICS})


def test_the_main_tables_have_methods_without_their_variants(found: pd.DataFrame) -> None:
    text = against_published(found, "sprites")
    assert "93.15" in text
    assert not any(figure in text for figure in ("76.50", "54.30"))


def test_separation_scores_of_a_generator_without_an_encoder_are_marked(
    found: pd.DataFrame,
) -> None:
    table = marked(found[:2], "accuracy", "static_preserved", "swap_dynamic")
    assert table.iloc[0].tolist() == ["93.15 ± 5.55", "100.00", "-"]
    assert table.iloc[1].tolist() == ["11.10 ± 1.00", "100.00*", "-"]


def test_variants_stand_beside_the_method_that_they_vary(found: pd.DataFrame) -> None:
    plus, paper = (ablations(found, "sprites", of) for of in ("s3vae-plus", "s3vae"))
    assert ("76.50" in plus, "54.30" in plus) == (True, False)
    assert ("76.50" in paper, "54.30" in paper) == (False, True)
    assert "93.15 ± 5.55 |" in paper  # the method itself had as many steps; over two trainings
    assert "| 54.30 |" in paper  # one training, without the deviation of sampling
    longer = found.assign(steps=found["steps"].where(found["key"] != "s3vae", "8"))
    assert "93.15" not in ablations(longer, "sprites", "s3vae")
    assert "54.30" not in ablations(found, "faces", "s3vae")


def test_several_trainings_of_a_method_are_one_row(found: pd.DataFrame) -> None:
    assert found["method"].tolist() == ["`s3vae` (2)", "`mocogan`", "`short`", "`without`"]
    row, once = found.iloc[0], found.iloc[1]
    assert row["accuracy"] == pytest.approx((0.987 + 0.876) / 2)
    assert row["accuracy_std"] == pytest.approx((0.987 - 0.876) / 2)
    assert row["static_preserved_std"] == 0
    assert (once["accuracy"], once["accuracy_std"], once["min"]) == (0.111, 0.01, "1.5")
    assert (row["min"], row["commit"]) == ("2.0", "`0123456`, `9876543`")
    assert pd.isna(row["swap_dynamic"])
    assert pd.isna(row["swap_dynamic_std"])


@pytest.mark.parametrize(("column", "value"), [("steps", "8"), ("threads", 2)])
def test_trainings_of_one_method_have_equal_steps_and_threads(column: str, value: object) -> None:
    rows = [model("s3vae", 0.9), model("again", 0.9, reseeds="s3vae", **{column: value})]
    with pytest.raises(ValueError, match=f"differ in {column}"):
        row_per_method(result_table(rows))


def test_another_seed_stays_if_the_first_training_has_no_scores() -> None:
    alone = row_per_method(result_table([model("again", 0.9, reseeds="s3vae")]))
    assert alone["method"].tolist() == ["`again`"]


def test_a_score_that_one_training_lacks_is_that_of_the_other() -> None:
    first = model("s3vae", 0.9, swap_static=0.5, swap_static_std=0.02)
    rows = [first, model("again", 0.9, reseeds="s3vae")]
    row = row_per_method(result_table(rows)).iloc[0]
    assert (row["swap_static"], row["swap_static_std"]) == (0.5, 0.02)


def test_minutes_name_several_threads() -> None:
    assert (minutes(90, 1), minutes(90, 2)) == ("1.5", "1.5 on 2 threads")


def test_what_deviations_reach_of_the_best_is_bold() -> None:
    columns = ("accuracy", "accuracy_std", "static_preserved", "static_leakage", "h_y_given_x")
    rows = [
        ("first", 0.50, 0.01, 0.9, 0.30, 0.1),
        ("near", 0.475, 0.02, 0.8, 0.15, 0.2),
        ("far", 0.46, 0.02, 0.7, 0.05, 0.1004),
        ("mocogan", 0.40, 0.01, 1.0, 0.20, 0.3),
    ]
    scored = [(name, dict(zip(columns, row, strict=True))) for name, *row in rows]
    found = result_table([model(name, **row, static_chance=0.2) for name, row in scored])
    table = with_best(found, *columns[:1], *columns[2:])
    bold = table.apply(lambda column: column.str.startswith("**"))
    reached, preserved, leakage, clear = bold.to_numpy().T.tolist()
    assert reached == [True, True, False, False]
    assert preserved == [True, False, False, False]
    assert leakage == [False, True, False, False]
    assert clear == [True, False, True, False]


def test_tables_of_several_data_sets_have_all_methods_of_these_alone() -> None:
    rows = result_table(
        [
            model("one", 0.1, **{"data set": "dsprites", "flow_cosine": 0.31}),
            model("two", 0.2, **{"data set": "dsprites-dependent-90", "flow_cosine": 0.32}),
            model("three", 0.3, **{"data set": "dsprites-dependent-90", "flow_cosine": 0.33}),
            model("four", 0.4, **{"flow_cosine": 0.34}),
        ]
    )
    results, chosen = row_per_method(rows), ("dsprites", "dsprites-dependent-90")
    for table, figures in ((side_by_side, ("10.0", "20.0", "30.0")), (without_labels, ("0.31",))):
        text = table(results, *chosen)
        assert all(figure in text for figure in figures)
        assert "`three`" in text
        assert "`four`" not in text
    assert "has been run" in without_labels(results, "faces")


def test_a_data_set_has_one_line_for_its_judge(found: pd.DataFrame) -> None:
    assert judge_lines(found).count("| sprites |") == 1


def test_a_table_without_rows_is_a_sentence() -> None:
    assert "has been run" in judge_lines(row_per_method(result_table([])))
    assert "has been run" in ablations(row_per_method(result_table([])), "sprites", "s3vae")


def test_published_figures_stand_below_ours_of_their_kind(found: pd.DataFrame) -> None:
    lines = against_published(found, "sprites").splitlines()
    row = next(number for number, line in enumerate(lines) if "`s3vae`" in line)
    assert "93.15 ± 5.55" in lines[row]
    assert "`0123456`" in lines[row]
    assert lines[row + 1] == "| published: S3VAE | 99.49 | 8.637 | 0.041 | 2.197 |"
    assert sum("published" in line for line in lines) == 9


@pytest.mark.parametrize(("states", "text"), [(5, "| 0.9 |"), (3, "not reached")])
def test_the_published_row_is_reached_by_the_first_snapshot_that_has_all_of_it(
    states: int, text: str, tmp_path: Path
) -> None:
    full = {"accuracy": 0.9949, "inception_score": 8.637, "static_preserved": 0.8}
    short = [{**full, name: value - 0.01} for name, value in full.items()]
    rows = [{"step": step, **row} for step, row in enumerate([*short, full, full], 1)]
    write_csv(tmp_path / "curve.csv", rows[:states])
    # 90 seconds for 7 steps
    timed = row_per_method(result_table([model("s3vae", 1.0, curve=tmp_path / "curve.csv")]))
    assert text in minutes_to_the_published_row(timed, "sprites")


def test_documents_agree_with_the_metrics_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails: `dvc repro --single-item docs/dvc.yaml:report`."""
    monkeypatch.setattr("pipelines.reporting.report.draw_curves", lambda path, curves: None)
    known = blocks(row_per_method(results(BENCHMARK)))
    for document in DOCUMENTS:
        text = document.read_text()
        assert BLOCK.search(text)
        assert fill(text, known) == text


def test_every_reported_model_was_trained_on_a_clean_commit() -> None:
    assert results(BENCHMARK)["commit"].str.fullmatch("`[0-9a-f]{7}`").all()


def test_scores_of_other_weights_are_not_reported(tmp_path: Path) -> None:
    chosen, folder = Chosen("toy", "ours"), tmp_path / Layout("toy").scores("ours")
    environment = {"commit": "0" * 40, "changed": False, "steps": 1, "seconds": 1, "threads": 1}
    origin = {"weights_sha256": "a", "clips": {"source": "sheets"}}
    for name, content in zip(FILES, ({"accuracy": 1.0}, environment, origin), strict=False):
        write_json(folder / f"{name}.json", content)
    assert result(tmp_path, chosen) is None
    for evaluated, reported in (("b", False), ("a", True)):
        write_json(folder / "provenance-evaluate.json", {"weights_sha256": evaluated})
        assert (result(tmp_path, chosen) is not None) is reported


def test_scores_of_another_judge_are_not_reported(tmp_path: Path) -> None:
    chosen = Chosen("toy", "ours")
    assert not judged_by_the_judge(stages(tmp_path), chosen)
    for checksum, reported in (("a", True), ("b", False)):
        write_text(
            tmp_path / "dvc.lock",
            "stages:\n"
            "  judge@toy: {outs: [{path: data/toy/judge, md5: a}]}\n"
            f"  evaluate@toy-ours: {{deps: [{{path: data/toy/judge, md5: {checksum}}}]}}\n",
        )
        assert judged_by_the_judge(stages(tmp_path), chosen) is reported


def test_the_protocol_defines_every_metric() -> None:
    protocol = (ROOT / "docs" / "protocol.md").read_text()
    ends = tuple(end for each in REFERENCES.values() for end in each)
    missing = [
        m.name for m in METRICS if f"`{m.name}`" not in protocol and not m.name.endswith(ends)
    ]
    assert not missing
