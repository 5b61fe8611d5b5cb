"""Measurements at growing sizes, and their table."""

from pathlib import Path

import pytest

from pipelines.tools import scale
from pipelines.tools.scale import STEPS, measure_all, params_at, table

STAGES = ("acquire", "flow", "evaluate")


def rows_at(size: int) -> list[scale.Row]:
    cost = {"seconds": 12.3, "memory": 456, "disk": 600 * size}
    return [{"size": size, "clips": 972 * size, "stage": stage, **cost} for stage in STAGES]


def test_the_data_grows_and_trainings_do_not() -> None:
    once, often = (params_at(size)["datasets"]["dsprites"] for size in (1, 16))
    assert often["data"]["takes"] == 16 * once["data"]["takes"]
    assert often["methods"] == once["methods"]
    assert often["judge"]["training"]["steps"] == STEPS


def test_every_size_is_a_line_with_the_cost_of_every_stage() -> None:
    head, _, first, second = table([*rows_at(4), *rows_at(1)]).splitlines()
    assert [name.strip() for name in head.split("|")[2:-2]] == list(STAGES)
    assert first.startswith("| 972 |")
    assert second.startswith("| 3,888 |")
    assert second.count("12 s, 456 MB") == len(STAGES)
    assert second.endswith("| 2,400 MB |")


def test_sizes_that_were_measured_are_not_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scale, "MEASURED", tmp_path / "scale.csv")
    scale.write_csv(tmp_path / "scale.csv", rows_at(1))
    assert table(measure_all([1])) == table(rows_at(1))


def test_a_stage_that_fails_is_an_error(tmp_path: Path) -> None:
    assert scale.measure("python -c pass", tmp_path)["memory"] > 0
    with pytest.raises(scale.subprocess.CalledProcessError):
        scale.measure("python -c 1/0", tmp_path)
