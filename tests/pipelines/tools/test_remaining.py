"""Estimates of the duration of stages."""

from pathlib import Path

import pytest

from pipelines.io import write_json
from pipelines.params import write_settings
from pipelines.paths import Layout
from pipelines.tools.remaining import SECONDS_PER_STEP, expected_seconds


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings of one data set with three methods, of which the last is a variant of the first."""
    monkeypatch.chdir(tmp_path)
    steps = {"a": 100, "b": 300, "c": 40}
    methods = {name: {"training": {"steps": count}} for name, count in steps.items()}
    models = {f"one-{name}": {"dataset": "one", "method": name} for name in methods}
    models["one-c"]["varies"] = "a"
    write_settings(
        tmp_path,
        {
            "pipeline": {"datasets": {"one": "one.py"}, "models": models, "code": ""},
            "datasets": {"one": {"methods": methods, "judge": {"training": {"steps": 10}}}},
        },
    )
    return tmp_path


def record(method: str, seconds: float) -> None:
    cost = {"commit": "", "changed": False, "steps": 100, "seconds": seconds, "threads": 1}
    write_json(Layout("one").scores(method) / "environment.json", cost)


def test_without_any_training_a_step_has_its_usual_time(folder: Path) -> None:
    assert expected_seconds("train@one-a", folder) == pytest.approx(100 * SECONDS_PER_STEP)


def test_a_stage_takes_as_long_as_before_and_others_as_long_per_step(folder: Path) -> None:
    record("a", seconds=50.0)
    assert expected_seconds("train@one-a", folder) == 50
    assert expected_seconds("train@one-b", folder) == pytest.approx(150)
    assert expected_seconds("judge@one", folder) == pytest.approx(5)


def test_a_variant_takes_as_long_per_step_as_its_method(folder: Path) -> None:
    record("a", seconds=50.0)
    record("b", seconds=900.0)
    assert expected_seconds("train@one-c", folder) == pytest.approx(20)
