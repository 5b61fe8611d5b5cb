"""The laws of a stage's run in MLflow: it tells all, once, and it never stops the stage."""

import dataclasses
import hashlib
import json
import logging
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from pipelines.keys import StageRun
from pipelines.layout import Layout
from pipelines.store import store_uri
from pipelines.tracking import tracked

pytestmark = pytest.mark.filterwarnings(
    "ignore::sqlalchemy.exc.SADeprecationWarning",  # MLflow's use of SQLAlchemy 2.1
    "ignore:.*Any type hint is inferred as AnyType:UserWarning",  # MLflow's own types
)

ROWS = [{"step": 50.0, "total": 2.0}, {"step": 100.0, "total": 1.0, "val_total": 1.5}]


class Unlucky(Exception):
    """A failure of the stage itself."""


def runs(store: MlflowClient, kind: str) -> list[Run]:
    experiment = store.get_experiment_by_name("s3vae")
    return list(store.search_runs([experiment.experiment_id], f"tags.`s3vae.kind` = '{kind}'"))


def the_run(store: MlflowClient, kind: str = "train") -> Run:
    (run,) = runs(store, kind)
    return run


def steps(store: MlflowClient, run: Run, name: str) -> list[int]:
    return [metric.step for metric in store.get_metric_history(run.info.run_id, name)]


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]


def test_every_row_of_the_history_arrives_at_its_step(
    store: MlflowClient, training: StageRun
) -> None:
    with tracked(training) as tracker:
        for row in ROWS:
            tracker.log(row)
    run = the_run(store)
    assert run.info.status == "FINISHED"
    assert sorted(steps(store, run, "total")) == [50, 100]
    assert steps(store, run, "val_total") == [100]


def test_the_same_key_is_the_same_run_and_repeats_nothing(
    store: MlflowClient, training: StageRun
) -> None:
    for _ in range(2):
        with tracked(training) as tracker:
            for row in ROWS:
                tracker.log(row)
            tracker.scores({"accuracy": 0.5, "undefined": None})
    run = the_run(store)
    assert sorted(steps(store, run, "total")) == [50, 100]
    assert steps(store, run, "accuracy") == [0]
    assert "undefined" not in run.data.metrics
    assert len(run.inputs.dataset_inputs) == 1


def test_a_killed_run_is_taken_up_again(store: MlflowClient, training: StageRun) -> None:
    stage = tracked(training)
    tracker = stage.__enter__()
    tracker.log(ROWS[0])
    tracker._send()
    killed = the_run(store)
    assert killed.info.status == "RUNNING"
    with tracked(training) as again:
        for row in ROWS:
            again.log(row)
    run = the_run(store)
    assert (run.info.run_id, run.info.status) == (killed.info.run_id, "FINISHED")
    assert sorted(steps(store, run, "total")) == [50, 100]


def test_another_key_is_another_run(store: MlflowClient, training: StageRun) -> None:
    for run in (training, dataclasses.replace(training, key="another")):
        with tracked(run):
            pass
    assert len(runs(store, "train")) == 2


@pytest.mark.parametrize(("error", "status"), [(Unlucky, "FAILED"), (KeyboardInterrupt, "KILLED")])
def test_the_error_of_a_stage_ends_its_run_and_comes_out_as_it_was(
    store: MlflowClient, training: StageRun, error: type[BaseException], status: str
) -> None:
    with pytest.raises(error), tracked(training) as tracker:
        tracker.log(ROWS[0])
        raise error
    run = the_run(store)
    assert run.info.status == status
    assert steps(store, run, "total") == [50]


def test_train_and_evaluate_of_a_method_have_one_parent_and_the_judge_has_none(
    store: MlflowClient, training: StageRun
) -> None:
    for kind in ("train", "evaluate", "judge"):
        with tracked(dataclasses.replace(training, kind=kind, key=kind)):
            pass
    parent = the_run(store, "method").info.run_id
    found = [the_run(store, kind).data.tags for kind in ("train", "evaluate", "judge")]
    assert [tags.get("mlflow.parentRunId") for tags in found] == [parent, parent, None]


def test_settings_become_dotted_parameters_cut_to_what_the_store_takes(
    store: MlflowClient, training: StageRun
) -> None:
    settings = {**training.settings, "long": "x" * 9000, "odd name!": None}
    with tracked(dataclasses.replace(training, settings=settings)):
        pass
    found = the_run(store).data.params
    assert found["training.learning_rate"] == "0.002"
    assert (found["seeds"], found["odd name_"]) == ("[0, 1]", "null")
    assert found["long"] == "x" * 6000


def test_the_data_set_is_named_by_the_md5_of_its_file(
    store: MlflowClient, training: StageRun
) -> None:
    with tracked(training):
        pass
    (given,) = the_run(store).inputs.dataset_inputs
    assert given.dataset.digest == hashlib.md5(Layout("toy").clips.read_bytes()).hexdigest()
    assert given.dataset.name == "toy"
    assert json.loads(given.dataset.source)["source"] == "drawn at random"
    assert json.loads(given.dataset.profile)["shape"] == [6, 4, 64, 64, 3]


def test_tags_link_a_run_to_commit_stage_flow_run_and_weights(
    store: MlflowClient, training: StageRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("prefect.runtime")
    monkeypatch.setenv("DVC_STAGE", "train@toy-tiny")
    monkeypatch.setenv("PREFECT__RUNTIME__FLOW_RUN__ID", "a-flow-run")
    commit = committed()
    with tracked(dataclasses.replace(training, weights_sha256="w" * 64)):
        pass
    tags = the_run(store).data.tags
    assert tags["s3vae.key"] == training.key
    assert (tags["s3vae.dataset"], tags["s3vae.method"]) == ("toy", "tiny")
    assert tags["s3vae.weights_sha256"] == "w" * 64
    assert tags["dvc.stage"] == "train@toy-tiny"
    assert tags["prefect.flow_run_id"] == "a-flow-run"
    assert tags["git.commit"] == tags["mlflow.source.git.commit"] == commit
    assert tags["git.dirty"] == "true"


def committed() -> str:
    """Commit a file in the current folder, and change it."""
    Path("file").write_text("committed")
    who = ["-c", "user.name=someone", "-c", "user.email=someone@example.org"]
    for command in (["init", "-q"], ["add", "file"], [*who, "commit", "-q", "-m", "a file"]):
        subprocess.run(["git", *command], check=True)
    Path("file").write_text("changed")
    done = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_pictures_are_kept_in_their_folder(store: MlflowClient, training: StageRun) -> None:
    folder = Path("pictures")
    folder.mkdir()
    (folder / "swap.png").write_bytes(b"a picture")
    with tracked(training) as tracker:
        tracker.folder(folder, "pictures")
    found = store.list_artifacts(the_run(store).info.run_id, "pictures")
    assert [artifact.path for artifact in found] == ["pictures/swap.png"]


@pytest.mark.usefixtures("store")
def test_a_store_out_of_reach_costs_one_warning_and_no_stage(
    training: StageRun, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    begun = time.monotonic()
    with tracked(training) as tracker:
        for row in ROWS:
            tracker.log(row)
        tracker.model(Layout("toy").model("tiny"))
    assert time.monotonic() - begun < 15
    assert tracker.failure is not None
    (warning,) = warned(caplog)
    assert "make publish" in warning


def test_a_store_that_breaks_half_way_costs_one_warning_and_no_stage(
    store: MlflowClient, training: StageRun, repository: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with tracked(training) as tracker:
        tracker.log(ROWS[0])
        with sqlite3.connect(repository / "mlflow.db") as database:
            database.execute("ALTER TABLE metrics RENAME TO gone")
        tracker._send()
        tracker.log(ROWS[1])
        tracker.scores({"accuracy": 0.5})
    assert the_run_is_left(store) == "RUNNING"
    (warning,) = warned(caplog)
    assert "make publish" in warning


def the_run_is_left(store: MlflowClient) -> str:
    return str(the_run(store).info.status)


def test_tracking_that_is_off_needs_no_mlflow_and_leaves_nothing(
    repository: Path, training: StageRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(repository.rglob("*"))
    monkeypatch.setenv("S3VAE_TRACKING", "off")
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with tracked(training) as tracker:
        tracker.log(ROWS[0])
        tracker.model(Layout("toy").model("tiny"))
    assert tracker.failure is None
    assert sorted(repository.rglob("*")) == before


def test_the_store_is_in_the_root_of_the_repository(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / ".dvc").mkdir()
    (repository / "benchmark").mkdir()
    monkeypatch.chdir(repository / "benchmark")
    assert store_uri() == f"sqlite:///{repository / 'mlflow.db'}"
    monkeypatch.setenv("DVC_ROOT", str(repository / "elsewhere"))
    assert store_uri() == f"sqlite:///{repository / 'elsewhere' / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://a-server")
    assert store_uri() == "http://a-server"
