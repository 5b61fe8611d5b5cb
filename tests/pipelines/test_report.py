"""The generated parts of the documents: never typed, always what the metrics files say."""

import json
from pathlib import Path

import pytest

from pipelines.report import (
    BENCHMARK,
    BLOCK,
    DEMO,
    DOCUMENTS,
    ReportError,
    Result,
    ablations,
    against_published,
    blocks,
    fill,
    headline,
    reseeded,
    results,
)

ROOT = Path(__file__).resolve().parents[2]


def result(method: str, accuracy: float = 0.5, dataset: str = "sprites") -> Result:
    scores: dict[str, str | float | None] = {"accuracy": accuracy, "accuracy_std": 0.01}
    circumstances = {"commit": "0123456789", "steps": 7, "seconds": 90.0}
    return Result(dataset, method, scores, circumstances, [])


FOUND = [
    result("s3vae", 0.987),
    result("s3vae-seed-1", 0.876),
    result("s3vae-plus-short", 0.765),
    result("s3vae-plus-no-exchange", 0.654),
    result("s3vae-no-prediction", 0.543),
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


def test_the_first_table_has_methods_and_no_variants_of_them() -> None:
    text = headline(FOUND)
    assert "98.70" in text
    assert not any(figure in text for figure in ("87.60", "76.50", "65.40", "54.30"))


def test_variants_stand_beside_what_they_are_variants_of() -> None:
    plus, paper = (ablations(FOUND, of) for of in ("s3vae-plus", "s3vae"))
    assert ("76.50" in plus, "65.40" in plus, "54.30" in plus) == (True, True, False)
    assert ("54.30" in paper, "76.50" in paper) == (True, False)
    assert "98.70" in reseeded(FOUND)
    assert "87.60" in reseeded(FOUND)


def test_published_figures_stand_beside_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    lines = against_published(FOUND, "sprites").splitlines()
    ours = next(number for number, line in enumerate(lines) if "`s3vae`" in line)
    assert "98.70 ± 1.00" in lines[ours]
    assert "99.49 | 8.637 | 0.041 | 2.197" in lines[ours + 1]
    assert "`0123456`" in lines[ours]


def test_documents_say_what_the_metrics_files_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails: `dvc repro --single-item docs/dvc.yaml:report`."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("pipelines.report.draw_curves", lambda path, curves: None)
    known = blocks(results(DEMO), results(BENCHMARK))
    for document in DOCUMENTS:
        text = document.read_text()
        assert BLOCK.search(text)
        assert fill(text, known) == text


def test_every_model_that_is_reported_was_trained_on_a_commit_that_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    for each in [*results(DEMO), *results(BENCHMARK)]:
        assert len(each.circumstances["commit"]) == 40, json.dumps(each.circumstances)
