"""The generated parts of the documents: never typed, always what the metrics files say."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.dvc_lock import judged_by_the_judge, stages
from pipelines.io import write_json, write_text
from pipelines.params import Chosen
from pipelines.paths import BENCHMARK, Layout
from pipelines.reporting.report import BLOCK, DEMO, DOCUMENTS, ReportError, blocks, fill
from pipelines.reporting.results import Result, results
from pipelines.reporting.results import result as result_of
from pipelines.reporting.tables import (
    ablations,
    against_published,
    headline,
    judge_lines,
    minutes_to_the_published_row,
    ours,
    reseeded,
)

ROOT = Path(__file__).resolve().parents[3]


def result(method: str, accuracy: float, **variant: str) -> Result:
    scores: dict[str, str | float | None] = {
        "accuracy": accuracy,
        "accuracy_std": 0.01,
        "static_kept": 1.0,
    }
    if method != "mocogan":
        scores["reconstruction_error"] = 1.0
    noted = {"commit": "0123456789", "changed": False, "steps": 7, "seconds": 90.0, "threads": 1}
    return Result(Chosen("sprites", method, **variant), scores, noted, [], "sheets")


FOUND = [
    result("s3vae", 0.987),
    result("mocogan", 0.111),
    result("again", 0.876, reseeds="s3vae"),
    result("short", 0.765, varies="s3vae-plus"),
    result("without", 0.543, varies="s3vae"),
]


def test_what_stands_between_marks_is_replaced_and_all_else_stays() -> None:
    text = "before\n<!-- generated: one -->\nold\n<!-- end -->\nbetween\n"
    assert fill(text, {"one": lambda: "new\n"}) == (
        "before\n<!-- generated: one -->\n\nnew\n\n<!-- end -->\nbetween\n"
    )
    assert fill("no marks\n", {}) == "no marks\n"


def test_filling_twice_is_filling_once() -> None:
    known = {"one": lambda: "new\n"}
    once = fill("<!-- generated: one -->\n<!-- end -->\n", known)
    assert fill(once, known) == once


def test_an_unknown_part_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ReportError, match="'two', only one"):
        fill("<!-- generated: two -->\n<!-- end -->\n", {"one": str})


def test_the_first_table_has_methods_and_no_variants_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    text = headline(FOUND)
    assert "98.70" in text
    assert not any(figure in text for figure in ("87.60", "76.50", "54.30"))


def test_a_generator_s_scores_are_marked_where_there_are_any() -> None:
    generator, encoding = result("mocogan", 0.1), result("s3vae", 0.1)
    assert generator.cells(["accuracy", "static_kept", "swap_dynamic"]) == [
        "10.00 ± 1.00",
        "100.00*",
        "-",
    ]
    assert encoding.cells(["static_kept", "swap_dynamic"]) == ["100.00", "-"]


def test_variants_stand_beside_what_they_are_variants_of() -> None:
    plus, paper = (ablations(FOUND, "sprites", of) for of in ("s3vae-plus", "s3vae"))
    assert ("76.50" in plus, "54.30" in plus) == (True, False)
    assert ("76.50" in paper, "54.30" in paper) == (False, True)
    assert "98.70" in paper  # it had as many steps
    longer = [replace(FOUND[0], circumstances={**FOUND[0].circumstances, "steps": 8}), *FOUND[1:]]
    assert "98.70" not in ablations(longer, "sprites", "s3vae")
    assert "54.30" not in ablations(FOUND, "faces", "s3vae")
    assert "| sheets |" in judge_lines(FOUND, "sprites")
    again = reseeded(FOUND)
    assert "98.70" in again
    assert "87.60" in again
    assert "11.10" not in again


def test_what_flatters_a_generator_without_an_encoder_is_marked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    of_s3vae, theirs = headline(FOUND).splitlines()[2:4]
    assert "100.00*" in theirs
    assert "11.10 " in theirs
    assert "*" not in of_s3vae


def test_what_was_not_run_is_said_not_to_have_been() -> None:
    assert "has been run" in ablations([], "sprites", "s3vae")


def test_published_figures_stand_beside_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    lines = against_published(FOUND, "sprites").splitlines()
    row = next(number for number, line in enumerate(lines) if "`s3vae`" in line)
    assert "98.70 ± 1.00" in lines[row]
    assert "99.49 | 8.637 | 0.041 | 2.197" in lines[row + 1]
    assert "`0123456`" in lines[row]


def test_the_demo_s_rows_are_ours_alone() -> None:
    text = ours(FOUND)
    assert "| sprites | `s3vae` | 98.70 ± 1.00 |" in text
    assert "published" not in text
    assert "87.60" not in text


def test_the_time_to_the_published_row_is_that_of_the_first_state_that_has_all_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    have = {"accuracy": 0.9949, "inception_score": 8.637, "static_kept": 0.8}
    lacks = [{**have, name: value - 0.01} for name, value in have.items()]
    curve = [{"step": float(step), **row} for step, row in enumerate([*lacks, have, have], 1)]
    for rows, shown in ((curve, "| 0.9 |"), (curve[:3], "not reached")):
        timed = replace(result("s3vae", 1.0), curve=rows)  # 90 seconds for 7 steps
        assert shown in minutes_to_the_published_row([timed], "sprites")


def test_documents_say_what_the_metrics_files_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails: `dvc repro --single-item docs/dvc.yaml:report`."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("pipelines.reporting.report.draw_curves", lambda path, curves: None)
    known = blocks(results(DEMO), results(BENCHMARK))
    for document in DOCUMENTS:
        text = document.read_text()
        assert BLOCK.search(text)
        assert fill(text, known) == text


def test_every_model_that_is_reported_was_trained_on_a_commit_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    for each in [*results(DEMO), *results(BENCHMARK)]:
        assert len(each.circumstances["commit"]) == 40, each
        assert not each.circumstances["changed"], each


def test_scores_of_other_weights_are_not_reported(tmp_path: Path) -> None:
    chosen, folder = Chosen("toy", "ours"), tmp_path / Layout("toy").scores("ours")
    write_json(folder / "metrics.json", {"accuracy": 1.0})
    write_json(folder / "circumstances.json", {})
    write_text(folder / "curve.csv", "\n")
    origin = {"weights_sha256": "a", "clips": {"source": "sheets"}}
    write_json(folder / "origin-train.json", origin)
    assert result_of(tmp_path, chosen) is None
    for evaluated, reported in (("b", False), ("a", True)):
        write_json(folder / "origin-evaluate.json", {"weights_sha256": evaluated})
        assert (result_of(tmp_path, chosen) is not None) is reported


def test_scores_of_another_judge_are_not_reported(tmp_path: Path) -> None:
    chosen = Chosen("toy", "ours")
    assert not judged_by_the_judge(stages(tmp_path), chosen)
    for asked, reported in (("a", True), ("b", False)):
        write_text(
            tmp_path / "dvc.lock",
            "stages:\n"
            "  judge@toy: {outs: [{path: data/toy/judge, md5: a}]}\n"
            f"  evaluate@toy-ours: {{deps: [{{path: data/toy/judge, md5: {asked}}}]}}\n",
        )
        assert judged_by_the_judge(stages(tmp_path), chosen) is reported
