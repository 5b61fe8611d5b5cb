"""What is left of a benchmark, and how long it may take."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipelines.io import write_json
from pipelines.params import Chosen, Pipeline
from pipelines.paths import Layout
from pipelines.tools.remaining import AFTER, SECONDS_PER_STEP, expected_seconds, with_dependants

ROOT = Path(__file__).resolve().parents[3]
MODELS = {f"{data}-{name}": Chosen(data, name) for data in ("one", "two") for name in ("a", "b")}
PIPELINE = Pipeline({"one": "one.py", "two": "two.py"}, MODELS, "..")


@pytest.mark.parametrize(
    ("changed", "left"),
    [
        ((), []),
        (("train@one-a",), ["train@one-a", "evaluate@one-a", "table"]),
        (("judge@two",), ["judge@two", "evaluate@two-a", "evaluate@two-b", "table"]),
        (
            ("flow@one",),
            ["flow@one", "train@one-a", "train@one-b", "evaluate@one-a", "evaluate@one-b", "table"],
        ),
        (("table",), ["table"]),
    ],
)
def test_what_depends_on_a_stale_stage_is_left_too(
    changed: tuple[str, ...], left: list[str]
) -> None:
    assert with_dependants(changed, PIPELINE) == left


def of_dataset(path: str) -> str:
    """A path of dvc.yaml, its data set spelt alike wherever DVC loops over data sets or models."""
    return path.replace("${key}", "${item.dataset}")


def test_what_makes_a_stage_stale_is_what_dvc_yaml_says() -> None:
    """A stage depends on another if it has one of its files among its deps."""
    stages = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]
    told = {name: stage.get("do", stage) for name, stage in stages.items() if name != "table"}
    made = {
        name: {of_dataset(out) for out in stage["outs"] if isinstance(out, str)}
        for name, stage in told.items()
    }
    read = {
        name: {
            of_dataset(dep).replace("${item.signal}", signal)
            for dep in stage["deps"]
            for signal in ("flow", "landmarks")
        }
        for name, stage in told.items()
    }
    direct = {name: {later for later in told if made[name] & read[later]} for name in told}
    for name, later in direct.items():
        reached = later.union(*(direct[each] for each in later))
        assert set(AFTER.get(name, ())) == reached, name


def test_of_a_stale_data_set_everything_is_left() -> None:
    left = with_dependants(["acquire@two"], PIPELINE)
    assert len(left) == 3 + 2 * 2 + 1
    assert not any("one" in stage for stage in left)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One data set with two methods, of which one has been trained."""
    monkeypatch.chdir(tmp_path)
    methods = {name: {"training": {"steps": steps}} for name, steps in (("a", 100), ("b", 300))}
    models = {f"one-{name}": {"dataset": "one", "method": name} for name in methods}
    YAML().dump(
        {
            "pipeline": {"datasets": {"one": "one.py"}, "models": models, "code": ".."},
            "datasets": {"one": {"methods": methods, "judge": {"training": {"steps": 10}}}},
        },
        tmp_path / "params.yaml",
    )
    return tmp_path


def test_without_any_training_a_step_has_its_usual_time(folder: Path) -> None:
    assert expected_seconds("train@one-a", folder) == pytest.approx(100 * SECONDS_PER_STEP)


def test_what_has_run_is_expected_to_take_as_long_again_and_others_as_long_a_step(
    folder: Path,
) -> None:
    noted = {"commit": "", "changed": False, "steps": 100, "seconds": 50.0, "threads": 1}
    write_json(folder / Layout("one").scores("a") / "circumstances.json", noted)
    assert expected_seconds("train@one-a", folder) == 50
    assert expected_seconds("train@one-b", folder) == pytest.approx(150)
    assert expected_seconds("judge@one", folder) == pytest.approx(5)


def test_a_variant_is_expected_to_take_as_long_a_step_as_its_method(folder: Path) -> None:
    params = YAML(typ="safe").load(folder / "params.yaml")
    params["pipeline"]["models"]["one-c"] = {"dataset": "one", "method": "c", "varies": "a"}
    params["datasets"]["one"]["methods"]["c"] = {"training": {"steps": 40}}
    YAML().dump(params, folder / "params.yaml")
    for method, seconds in (("a", 50.0), ("b", 900.0)):
        noted = {"commit": "", "changed": False, "steps": 100, "seconds": seconds, "threads": 1}
        write_json(folder / Layout("one").scores(method) / "circumstances.json", noted)
    assert expected_seconds("train@one-c", folder) == pytest.approx(20)
