"""The models requested, their stale stages, and results that were not promoted."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from dvc.repo import Repo

from pipelines import dag
from pipelines.io import write_json
from pipelines.params import Chosen, ParamsError, write_settings
from pipelines.paths import Layout
from pipelines.retraining.changes import (
    chosen_models,
    find_changes,
    is_pending,
    note_promoted,
)

ONE, TWO, OTHER = ALL = [Chosen("a", "one"), Chosen("a", "two"), Chosen("b", "one")]
PARAMS: dict[str, Any] = {
    "pipeline": {
        "datasets": {"a": "a.py", "b": "b.py"},
        "models": {each.name: {"dataset": each.dataset, "method": each.method} for each in ALL},
        "code": "",
    },
    "datasets": {"a": {"data": {"kind": "dsprites"}}, "b": {"data": {"kind": "sprites"}}},
}
DAG = """
stages:
  acquire:
    foreach: ${pipeline.datasets}
    do:
      cmd: touch begun-${key}; sleep ${seconds}; echo made > clips-${key}
      outs: ["clips-${key}"]
  train:
    foreach: ${pipeline.models}
    do:
      cmd: cp clips-${item.dataset} model-${key}
      deps: ["clips-${item.dataset}"]
      outs: ["model-${key}"]
  evaluate:
    foreach: ${pipeline.models}
    do: {cmd: "cp model-${key} scores-${key}", deps: ["model-${key}"], outs: ["scores-${key}"]}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    write_settings(Path(), PARAMS)
    return tmp_path


@pytest.fixture
def repository(folder: Path) -> None:
    """A pipeline that has not run, beside another with the same stages."""
    Repo.init(no_scm=True).close()
    with Path(".dvc/config").open("a") as config:
        config.write("[cache]\n    dir = ../cache\n")
    for place in (Path(), Path("benchmark")):
        place.mkdir(exist_ok=True)
        write_settings(place, PARAMS)
        (place / "dvc.yaml").write_text(DAG.replace("${seconds}", "0"))


@pytest.mark.parametrize(
    ("datasets", "methods", "expected"),
    [
        (None, None, ALL),
        (["a"], None, [ONE, TWO]),
        (None, ["one"], [ONE, OTHER]),
        (["b"], ["one"], [OTHER]),
    ],
)
def test_models_are_chosen_by_data_set_and_method(
    datasets: list[str] | None, methods: list[str] | None, expected: list[Chosen]
) -> None:
    assert chosen_models(datasets, methods) == expected


@pytest.mark.parametrize(
    ("datasets", "methods", "message"),
    [
        (["b"], ["two"], r"no \['two'\] on \['b'\], only a-one, a-two, b-one"),
        (["a", "c"], None, "no c, only a-one, a-two, b-one"),
        (None, ["three"], "no three, only a-one, a-two, b-one"),
    ],
)
def test_unknown_names_and_combinations_are_refused(
    datasets: list[str] | None, methods: list[str] | None, message: str
) -> None:
    with pytest.raises(ParamsError, match=message):
        chosen_models(datasets, methods)


@pytest.mark.usefixtures("repository")
def test_stale_are_the_changed_stages_of_the_requested_models_and_their_dependants() -> None:
    with Repo() as repo:
        repo.reproduce()
    whole = find_changes(ALL)  # the benchmark's stages of the same names have not run
    assert (whole.targets, whole.stale) == ([], [])
    Path("clips-a").write_text("modified")
    found = find_changes([ONE])
    assert found.targets == ["evaluate@a-one"]
    assert found.stale == ["acquire@a", "train@a-one", "evaluate@a-one"]
    assert [found.include(model) for model in ALL] == [True, False, False]
    assert "acquire@a: modified clips-a" in found.lines
    assert "evaluate@a-two" in find_changes(ALL).stale


@pytest.mark.usefixtures("repository")
def test_params_that_do_not_fit_the_pipeline_are_refused() -> None:
    Path("dvc.yaml").write_text(DAG)
    with pytest.raises(ParamsError, match="DVC cannot read dvc"):
        find_changes(ALL)


@pytest.mark.usefixtures("repository")
def test_a_retraining_waits_for_stages_of_another_dvc(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("dvc.yaml").write_text(DAG.replace("${seconds}", "1"))
    monkeypatch.setattr(dag, "SECONDS_BETWEEN_CHECKS", 0.1)
    with subprocess.Popen(["dvc", "repro", "-q", "acquire@a"]) as other:
        while not Path("begun-a").exists():
            assert other.poll() is None
        dag.wait_for_others(Path())
        assert Path("clips-a").exists()
        assert "acquire@a" not in find_changes(ALL).stale
    assert other.returncode == 0


@pytest.mark.parametrize("changed", ["metrics.json", "provenance-evaluate.json"])
def test_results_are_pending_until_they_are_noted_and_again_when_they_change(changed: str) -> None:
    assert not is_pending(ONE)
    for name in ("metrics.json", "provenance-evaluate.json"):
        write_json(Layout("a").scores("one") / name, {"accuracy": 0.5})
    assert is_pending(ONE)
    note_promoted(ONE)
    assert not is_pending(ONE)
    assert not is_pending(TWO)
    write_json(Layout("a").scores("one") / changed, {"another": 1})
    assert is_pending(ONE)
