"""The graph of dvc.yaml: which stages depend on which."""

import shutil
from pathlib import Path

import pytest
from dvc.repo import Repo
from ruamel.yaml import YAML

from pipelines.dag import Dag

ROOT = Path(__file__).resolve().parents[2]
MODELS = {
    f"{dataset}-{method}": {"dataset": dataset, "method": method}
    for dataset, method in (("one", "a"), ("one", "b"), ("two", "a"))
}
DATASETS = {"one": "one.py", "two": "two.py"}
PIPELINE = {"datasets": DATASETS, "faces": ["one"], "models": MODELS, "code": ""}


@pytest.fixture(scope="module")
def dag(tmp_path_factory: pytest.TempPathFactory) -> Dag:
    """The project's dvc.yaml for two data sets and three models."""
    folder = tmp_path_factory.mktemp("repository")
    Repo.init(str(folder), no_scm=True).close()
    shutil.copy(ROOT / "dvc.yaml", folder)
    YAML().dump({"pipeline": PIPELINE}, folder / "params.yaml")
    return Dag(folder)


@pytest.mark.parametrize(
    ("changed", "dependants"),
    [
        ([], []),
        (["table"], []),
        (["train@one-a"], ["evaluate@one-a", "table"]),
        (["judge@one"], ["evaluate@one-a", "evaluate@one-b", "table"]),
        (
            ["landmarks@one"],
            ["train@one-a", "train@one-b", "evaluate@one-a", "evaluate@one-b", "table"],
        ),
        (["acquire@two"], ["flow@two", "judge@two", "train@two-a", "evaluate@two-a", "table"]),
    ],
)
def test_stages_come_before_all_that_depend_on_them(
    dag: Dag, changed: list[str], dependants: list[str]
) -> None:
    plan = dag.with_dependants(changed)
    assert set(plan) == {*changed, *dependants}
    for stage in plan:
        dependencies = set(dag.with_dependencies([stage])) & set(plan)
        assert dependencies <= set(plan[: plan.index(stage) + 1])


def test_the_dependencies_of_a_model_include_all_signals_of_its_data_set(dag: Dag) -> None:
    assert set(dag.with_dependencies(["evaluate@one-b"])) == {
        *("acquire@one", "flow@one", "landmarks@one", "judge@one", "train@one-b", "evaluate@one-b")
    }


def test_a_stage_has_the_command_of_dvc(dag: Dag) -> None:
    assert dag.command("train@one-a") == "python -m pipelines.stages.train one a"
