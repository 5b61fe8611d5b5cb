"""What has been through the gate is told from what was evaluated since."""

from pathlib import Path

import pytest

from pipelines.io import write_json
from pipelines.params import Chosen
from pipelines.paths import Layout
from pipelines.retraining.pending import is_unsettled, note_settled

MODEL, OTHER = Chosen("a", "one"), Chosen("a", "two")


@pytest.fixture(autouse=True)
def scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a model's scores, which another model lacks."""
    monkeypatch.chdir(tmp_path)
    folder = Layout(MODEL.dataset).scores(MODEL.method)
    write_json(folder / "metrics.json", {"accuracy": 0.5})
    write_json(folder / "origin-evaluate.json", {"weights_sha256": "old"})
    return folder


def test_what_was_evaluated_without_a_run_is_unsettled_until_one_has_promoted_it() -> None:
    assert is_unsettled(MODEL)
    note_settled(MODEL)
    assert not is_unsettled(MODEL)


def test_what_was_not_evaluated_waits_for_nothing() -> None:
    assert not is_unsettled(OTHER)


@pytest.mark.parametrize("changed", ["metrics.json", "origin-evaluate.json"])
def test_other_scores_or_weights_are_unsettled_again(scores: Path, changed: str) -> None:
    note_settled(MODEL)
    write_json(scores / changed, {"another": 1})
    assert is_unsettled(MODEL)
