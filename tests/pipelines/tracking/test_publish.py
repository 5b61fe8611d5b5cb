"""Publishing logs the results of stages as the stages do, and once; keys and provenance."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from pipelines.io import write_csv, write_json
from pipelines.paths import Layout
from pipelines.tracking import provenance
from pipelines.tracking.mlflow_run import tracked
from pipelines.tracking.provenance import (
    ClipRecord,
    StageRun,
    read_provenance,
    record,
    run_key,
    write_provenance,
)
from pipelines.tracking.publish import publish
from pipelines.tracking.store import has_model
from s3vae.data.clips import ClipFile
from s3vae.engine.schedule import TrainingSettings
from s3vae.files import checksum_of
from s3vae.weights import WEIGHTS

FILES = Layout("toy")
Find = Callable[[str], Run]
HISTORY = [{"step": 50.0, "total": 2.0}, {"step": 100.0, "total": 1.0, "val_total": 1.5}]
SCORES = {"accuracy": 0.5, "undefined": None, "not_judged": "no labels"}


@pytest.fixture
def results(training: StageRun) -> StageRun:
    """The results of a training and an evaluation on disk; returns the training."""
    folder = FILES.scores("tiny")
    write_csv(folder / "history.csv", HISTORY)
    write_json(folder / "metrics.json", SCORES)
    (folder / "pictures").mkdir()
    (folder / "pictures" / "swap.png").write_bytes(b"a picture")
    write_provenance(folder, training, FILES.model("tiny"))
    evaluation = dataclasses.replace(training, kind="evaluate", key="evaluation")
    write_provenance(folder, evaluation, FILES.model("tiny"))
    return training


@pytest.mark.usefixtures("results")
def test_results_are_logged_once(store: MlflowClient, run_of: Find) -> None:
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
    assert evaluation.data.tags["s3vae.not_judged"] == "no labels"
    pictures = store.list_artifacts(evaluation.info.run_id, "pictures")
    assert [picture.path for picture in pictures] == ["pictures/swap.png"]


def test_publishing_logs_what_the_stage_logs(
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
def test_missing_results_are_named_and_published_later() -> None:
    metrics = FILES.scores("tiny") / "metrics.json"
    shutil.move(metrics, "elsewhere")
    assert any("not logged" in line and "metrics" in line for line in publish())
    shutil.move("elsewhere", metrics)
    assert any(line.startswith("logged         evaluate") for line in publish())


def test_a_run_logged_by_its_stage_is_not_published_again(results: StageRun, run_of: Find) -> None:
    with tracked(results) as tracker:
        tracker.model(FILES.model("tiny"))
    assert "already there  train toy tiny" in list(publish())
    assert run_of("train").info.status == "FINISHED"


@pytest.mark.usefixtures("results")
def test_a_clone_without_data_is_published_and_its_model_later(run_of: Find) -> None:
    shutil.move("data", "elsewhere")
    assert any("dvc pull" in line for line in publish())
    run = run_of("train")
    assert run.data.metrics["total"] == 1.0
    assert not has_model(run)
    shutil.move("elsewhere", "data")
    list(publish())
    assert has_model(run_of("train"))


@pytest.mark.usefixtures("results")
def test_weights_of_another_training_are_not_published(run_of: Find) -> None:
    with (FILES.model("tiny") / WEIGHTS).open("ab") as weights:
        weights.write(b"changed")
    assert any("another training" in line for line in publish())
    assert not has_model(run_of("train"))


@pytest.mark.usefixtures("repository")
def test_publishing_raises_the_errors_of_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(Exception, match=r"127\.0\.0\.1"):
        list(publish())


@pytest.mark.usefixtures("store")
def test_without_results_a_line_tells_how_to_get_them() -> None:
    (line,) = publish()
    assert "dvc repro" in line


def test_provenance_is_read_as_it_was_written_and_the_same_run_gives_the_same_bytes(
    training: StageRun, tmp_path: Path
) -> None:
    one, other = (tmp_path / folder / "provenance-train.json" for folder in ("one", "other"))
    for path in (one, other):
        write_provenance(path.parent, training, FILES.model("tiny"))
    assert one.read_bytes() == other.read_bytes()
    origin = read_provenance(one)
    assert origin.clips == record(training.clips)
    assert isinstance(origin.clips, ClipRecord)
    assert origin.weights_sha256 == checksum_of(FILES.model("tiny") / WEIGHTS)
    assert (origin.kind, origin.key) == ("train", training.key)
    assert origin.settings == json.loads(json.dumps(training.settings))


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"clips": 1}'])
def test_a_file_without_provenance_is_refused_by_its_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "provenance-train.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"provenance-train\.json holds no provenance"):
        read_provenance(path)


@pytest.mark.usefixtures("repository")
def test_keys_differ_exactly_when_inputs_differ() -> None:
    clips, settings = ClipFile(FILES.clips), TrainingSettings(steps=2)
    keys = [
        run_key("train", settings, clips),
        run_key("train", TrainingSettings(steps=3), clips),
        run_key("train", settings, clips, {"window": 9}),
        run_key("train", settings, clips, {"window": 7}),
        run_key("judge", settings, clips),
        run_key("evaluate", settings, clips, "a", "b"),
        run_key("evaluate", settings, clips, "b", "a"),
    ]
    clips.sha256 = "0" * 64
    keys.append(run_key("train", settings, clips))
    assert len(set(keys)) == len(keys)
    assert run_key("train", settings, ClipFile(FILES.clips)) == keys[0]


def test_keys_depend_on_the_code_that_dvc_yaml_lists_and_on_no_other(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provenance, "ROOT", repository)
    deps = "[data/clips.h5, '${pipeline.code}s3vae/model', '${pipeline.code}train.py']"
    Path("dvc.yaml").write_text(f"stages: {{train: {{foreach: [a], do: {{deps: {deps}}}}}}}")
    files = [Path(name) for name in ("s3vae/model/inner/a.py", "train.py", "s3vae/other.py")]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("one")
    keys = [run_key("train", TrainingSettings(steps=2), ClipFile(FILES.clips))]
    for file in files:
        file.write_text("two")
        keys.append(run_key("train", TrainingSettings(steps=2), ClipFile(FILES.clips)))
    assert len(set(keys)) == 3
    assert keys[-1] == keys[-2]
