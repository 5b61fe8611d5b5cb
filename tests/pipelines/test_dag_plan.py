"""The graph of dvc.yaml: which stages depend on which."""

import shutil
from pathlib import Path

import pytest
from dvc.repo import Repo
from ruamel.yaml import YAML

from pipelines.dag import Dag
from pipelines.params import ParamsError, write_settings

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


def test_videos_that_would_hold_their_own_clips_are_refused_with_the_remedy(tmp_path: Path) -> None:
    Repo.init(str(tmp_path), no_scm=True).close()
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    (tmp_path / "data" / "mine").mkdir(parents=True)
    model = {"dataset": "mine", "method": "s3vae-plus"}
    pipeline = {"datasets": {"mine": "data/mine"}, "models": {"mine-s3vae-plus": model}, "code": ""}
    videos = YAML(typ="safe").load(ROOT / "configs" / "videos.yaml")
    write_settings(tmp_path, {"pipeline": pipeline | {"faces": []}, "datasets": {"mine": videos}})
    with pytest.raises(ParamsError, match=r"would hold its own clips .*: move the videos"):
        Dag(tmp_path)
