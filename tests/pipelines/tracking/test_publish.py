"""The laws of publishing: what stages left is logged as they would have logged it, and once."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import grimp
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from pipelines.io import write_csv, write_json
from pipelines.paths import Layout
from pipelines.tracking.mlflow_run import tracked
from pipelines.tracking.provenance import (
    ROOMS,
    ROOT,
    ClipRecord,
    Kind,
    StageRun,
    code_sha256,
    evaluate_key,
    judge_key,
    read_origin,
    record,
    train_key,
    write_origin,
)
from pipelines.tracking.publish import publish
from pipelines.tracking.store import has_model
from s3vae.data.clips import ClipFile
from s3vae.engine.schedule import TrainingSettings
from s3vae.files import checksum_of
from s3vae.weights import WEIGHTS

pytestmark = pytest.mark.filterwarnings(
    "ignore::sqlalchemy.exc.SADeprecationWarning",  # MLflow's use of SQLAlchemy 2.1
    "ignore:.*Any type hint is inferred as AnyType:UserWarning",  # MLflow's own types
)

FILES = Layout("toy")
Find = Callable[[str], Run]
HISTORY = [{"step": 50.0, "total": 2.0}, {"step": 100.0, "total": 1.0, "val_total": 1.5}]
SCORES = {"accuracy": 0.5, "undefined": None}


@pytest.fixture
def results(training: StageRun) -> StageRun:
    """What training and evaluation leave on disk; gives the training."""
    folder = FILES.scores("tiny")
    write_csv(folder / "history.csv", HISTORY)
    write_json(folder / "metrics.json", SCORES)
    (folder / "pictures").mkdir()
    (folder / "pictures" / "swap.png").write_bytes(b"a picture")
    write_origin(folder, training, FILES.model("tiny"))
    evaluation = dataclasses.replace(training, kind="evaluate", key="evaluation")
    write_origin(folder, evaluation, FILES.model("tiny"))
    return training


@pytest.mark.usefixtures("results")
def test_what_stages_left_is_logged_once(store: MlflowClient, run_of: Find) -> None:
    *first, summary = publish()
    assert [line.split() for line in first] == [
        ["logged", "evaluate", "toy", "tiny"],
        ["logged", "train", "toy", "tiny"],
    ]
    assert summary.startswith("2 logged, 0 already there")
    *second, summary = publish()
    assert [line.split()[:2] for line in second] == [["already", "there"]] * 2
    assert summary.startswith("0 logged, 2 already there")
    assert has_model(run_of("train"))
    evaluation = run_of("evaluate")
    assert evaluation.data.metrics == {"accuracy": 0.5}
    pictures = store.list_artifacts(evaluation.info.run_id, "pictures")
    assert [picture.path for picture in pictures] == ["pictures/swap.png"]


def test_what_is_published_is_what_the_stage_logs(
    store: MlflowClient, results: StageRun, run_of: Find
) -> None:
    list(publish())
    published = run_of("train")
    store.delete_run(published.info.run_id)
    with tracked(results, live=False) as tracker:
        for row in HISTORY:
            tracker.log(row)
    logged = run_of("train")
    assert published.data.metrics == logged.data.metrics
    assert published.data.params == logged.data.params
    assert data_sets(published) == data_sets(logged)


def data_sets(run: Run) -> list[dict[str, str]]:
    assert run.inputs is not None
    return [dict(given.dataset) for given in run.inputs.dataset_inputs]


@pytest.mark.usefixtures("store", "results")
def test_results_that_are_not_here_are_named_and_left_for_later() -> None:
    shutil.move(FILES.scores("tiny") / "pictures", "elsewhere")
    assert any("not logged" in line and "pictures" in line for line in publish())
    shutil.move("elsewhere", FILES.scores("tiny") / "pictures")
    assert any(line.startswith("logged         evaluate") for line in publish())


def test_a_run_that_the_stage_logged_is_not_published_again(
    results: StageRun, run_of: Find
) -> None:
    with tracked(results) as tracker:
        tracker.model(FILES.model("tiny"))
    assert "already there  train toy tiny" in list(publish())
    assert run_of("train").info.status == "FINISHED"


@pytest.mark.usefixtures("results")
def test_a_clone_without_data_is_published_and_its_model_follows(run_of: Find) -> None:
    shutil.move("data", "elsewhere")
    assert any("dvc pull" in line for line in publish())
    run = run_of("train")
    assert run.data.metrics["total"] == 1.0
    assert not has_model(run)
    shutil.move("elsewhere", "data")
    list(publish())
    assert has_model(run_of("train"))


@pytest.mark.usefixtures("results")
def test_weights_of_another_training_are_not_published_as_this_ones(run_of: Find) -> None:
    with (FILES.model("tiny") / WEIGHTS).open("ab") as weights:
        weights.write(b"changed")
    assert any("another training" in line for line in publish())
    assert not has_model(run_of("train"))


@pytest.mark.usefixtures("repository")
def test_a_store_out_of_reach_is_an_error_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(Exception, match=r"127\.0\.0\.1"):
        list(publish())


@pytest.mark.usefixtures("store")
def test_without_results_the_line_says_how_to_get_some() -> None:
    (line,) = publish()
    assert "dvc repro" in line


def test_a_note_tells_what_was_noted(training: StageRun, tmp_path: Path) -> None:
    write_origin(tmp_path, training, FILES.model("tiny"))
    noted = read_origin(tmp_path / "origin-train.json")
    assert noted.clips == record(training.clips)
    assert isinstance(noted.clips, ClipRecord)
    assert noted.weights_sha256 == checksum_of(FILES.model("tiny") / WEIGHTS)
    assert (noted.kind, noted.key) == ("train", training.key)
    assert noted.settings == json.loads(json.dumps(training.settings))


def test_the_same_run_is_noted_in_the_same_bytes(training: StageRun, tmp_path: Path) -> None:
    for folder in ("one", "other"):
        write_origin(tmp_path / folder, training)
    one, other = (tmp_path / folder / "origin-train.json" for folder in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"clips": 1}'])
def test_a_file_that_is_no_note_is_refused_by_its_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "origin-train.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"origin-train\.json is no note"):
        read_origin(path)


@pytest.mark.usefixtures("repository")
def test_keys_differ_when_anything_differs_that_results_depend_on() -> None:
    clips, settings, model = ClipFile(FILES.clips), TrainingSettings(steps=2), FILES.model("tiny")
    other = shutil.copytree(model, "other")
    with (Path(other) / WEIGHTS).open("ab") as weights:
        weights.write(b"changed")
    keys = [
        train_key(settings, clips),
        train_key(TrainingSettings(steps=3), clips),
        train_key(settings, clips, {"window": 9}),
        train_key(settings, clips, {"window": 7}),
        judge_key(settings, clips),
        evaluate_key(settings, clips, model, model),
        evaluate_key(settings, clips, Path(other), model),
        evaluate_key(settings, clips, model, Path(other)),
    ]
    clips.sha256 = "0" * 64
    keys.append(train_key(settings, clips))
    assert len(set(keys)) == len(keys)


@pytest.mark.usefixtures("repository")
def test_the_same_inputs_have_the_same_key() -> None:
    settings = TrainingSettings(steps=2)
    keys = {train_key(settings, ClipFile(FILES.clips), {"window": 9}) for _ in range(2)}
    assert len(keys) == 1
    assert len({code_sha256(kind) for kind in ROOMS}) == len(ROOMS)


@pytest.mark.parametrize("kind", ROOMS)
def test_a_key_covers_the_rooms_that_its_stage_imports(kind: Kind) -> None:
    graph = grimp.build_graph("pipelines", "s3vae", cache_dir=None)
    modules = graph.find_upstream_modules(f"pipelines.stages.{kind}")
    rooms = {name.split(".")[1] for name in modules if name.startswith("s3vae.")}
    assert set(ROOMS[kind]) == {room for room in rooms if (ROOT / "s3vae" / room).is_dir()}
