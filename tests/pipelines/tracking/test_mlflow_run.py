"""A stage's run in MLflow: complete, without repetitions, and never a reason to stop."""

import dataclasses
import hashlib
import json
import logging
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from sqlalchemy.engine import make_url

from pipelines.paths import Layout
from pipelines.tracking.mlflow_run import tracked
from pipelines.tracking.provenance import StageRun
from pipelines.tracking.store import database_file, store_uri

ROWS = [{"step": 50.0, "total": 2.0}, {"step": 100.0, "total": 1.0, "val_total": 1.5}]
Find = Callable[[str], Run]


class Unlucky(Exception):
    """A failure of the stage itself."""


def track(run: StageRun, error: type[BaseException] | None = None, live: bool = False) -> None:
    with tracked(run, live=live) as tracker:
        for row in ROWS:
            tracker.log(row)
        tracker.scores({"accuracy": 0.5, "undefined": None})
        if error is not None:
            raise error


def steps(store: MlflowClient, run: Run, name: str) -> list[int]:
    return sorted(metric.step for metric in store.get_metric_history(run.info.run_id, name))


@pytest.fixture
def unbuffered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send every row at once, still in the background."""
    monkeypatch.setenv("MLFLOW_ASYNC_LOGGING_BUFFERING_SECONDS", "0")


def wait_for_steps(store: MlflowClient, find: Find, expected: list[int]) -> Run:
    end = time.monotonic() + 10
    while steps(store, find("train"), "total") != expected:
        assert time.monotonic() < end, "the rows do not arrive"
        time.sleep(0.05)
    return find("train")


def test_a_run_has_each_row_at_its_step_and_repeats_nothing(
    store: MlflowClient, training: StageRun, run_of: Find
) -> None:
    for _ in range(2):
        track(training)
    run = run_of("train")
    assert run.info.status == "FINISHED"
    assert set(run.data.metrics) == {"total", "val_total", "accuracy"}
    assert steps(store, run, "total") == [50, 100]
    assert steps(store, run, "val_total") == [100]
    assert steps(store, run, "accuracy") == [0]
    assert run.inputs is not None
    assert len(run.inputs.dataset_inputs) == 1


@pytest.mark.usefixtures("unbuffered")
def test_a_killed_run_is_resumed(store: MlflowClient, training: StageRun, run_of: Find) -> None:
    stage = tracked(training)
    stage.__enter__().log(ROWS[0])
    killed = wait_for_steps(store, run_of, [50])
    assert killed.info.status == "RUNNING"
    track(training)
    run = run_of("train")
    assert (run.info.run_id, run.info.status) == (killed.info.run_id, "FINISHED")
    assert steps(store, run, "total") == [50, 100]


@pytest.mark.parametrize(("error", "status"), [(Unlucky, "FAILED"), (KeyboardInterrupt, "KILLED")])
def test_the_error_of_a_stage_ends_its_run_and_is_raised(
    store: MlflowClient, training: StageRun, run_of: Find, error: type[BaseException], status: str
) -> None:
    with pytest.raises(error):
        track(training, error)
    run = run_of("train")
    assert run.info.status == status
    assert steps(store, run, "total") == [50, 100]


def test_keys_are_runs_and_those_of_a_method_have_one_parent(
    store: MlflowClient, training: StageRun, run_of: Find
) -> None:
    for kind, key in (("train", "a"), ("train", "b"), ("evaluate", "c"), ("judge", "d")):
        track(dataclasses.replace(training, kind=kind, key=key))
    method = run_of("method").info
    runs = store.search_runs([method.experiment_id], "tags.`s3vae.kind` != 'method'")
    parents = {run.data.tags["s3vae.key"]: run.data.tags.get("mlflow.parentRunId") for run in runs}
    assert parents == {**dict.fromkeys("abc", method.run_id), "d": None}


def test_a_run_has_dotted_parameters_within_the_limits_of_the_store_and_the_md5_of_its_clips(
    training: StageRun, run_of: Find
) -> None:
    settings = {**training.settings, "long": "x" * 9000, "odd name!": None}
    track(dataclasses.replace(training, settings=settings))
    run = run_of("train")
    found = run.data.params
    assert found["training.learning_rate"] == "0.002"
    assert (found["seeds"], found["odd name_"]) == ("[0, 1]", "null")
    assert found["long"] == "x" * 6000
    assert run.inputs is not None
    (clips,) = run.inputs.dataset_inputs
    assert clips.dataset.digest == hashlib.md5(Layout("toy").clips.read_bytes()).hexdigest()
    assert clips.dataset.name == "toy"
    assert json.loads(clips.dataset.source)["source"] == "drawn at random"
    assert json.loads(clips.dataset.profile or "")["shape"] == [6, 4, 64, 64, 3]


def test_tags_link_a_run_to_commit_stage_flow_run_and_weights(
    training: StageRun, run_of: Find, git: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("prefect.runtime")
    monkeypatch.setenv("DVC_STAGE", "train@toy-tiny")
    monkeypatch.setenv("PREFECT__RUNTIME__FLOW_RUN__ID", "a-flow-run")
    git("init", "-q")
    for name in ("params.yaml", "dvc.lock", "README.md"):
        Path(name).write_text("committed")
        git("add", name)
    git("commit", "-q", "-m", "files")
    for rewritten in ("dvc.lock", "README.md"):
        Path(rewritten).write_text("changed by the pipeline")
    track(dataclasses.replace(training, weights_sha256="w" * 64))
    tags = run_of("train").data.tags
    assert tags["s3vae.key"] == training.key
    assert (tags["s3vae.dataset"], tags["s3vae.method"]) == ("toy", "tiny")
    assert tags["s3vae.weights_sha256"] == "w" * 64
    assert tags["dvc.stage"] == "train@toy-tiny"
    assert tags["prefect.flow_run_id"] == "a-flow-run"
    assert tags["git.commit"] == tags["mlflow.source.git.commit"] == git("rev-parse", "HEAD")
    assert tags["git.dirty"] == "false"
    Path("params.yaml").write_text("changed by hand")
    track(training)
    assert run_of("train").data.tags["git.dirty"] == "true"


def test_only_live_runs_are_sampled(
    training: StageRun, run_of: Find, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.05")
    for live in (False, True):
        with tracked(training, live=live):
            time.sleep(0.5)
        assert ("system/cpu_utilization_percentage" in run_of("train").data.metrics) == live


@pytest.mark.usefixtures("repository")
def test_a_store_out_of_reach_costs_a_warning_and_no_stage(
    training: StageRun, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://someone:secret@127.0.0.1:9")
    track(training, live=True)
    assert_one_warning(caplog)
    assert "secret" not in caplog.text


@pytest.mark.slow
@pytest.mark.usefixtures("unbuffered")
def test_a_store_that_is_locked_costs_a_warning_and_no_stage(
    store: MlflowClient, training: StageRun, run_of: Find, caplog: pytest.LogCaptureFixture
) -> None:
    with tracked(training, live=False) as tracker:
        database = sqlite3.connect("mlflow.db", isolation_level=None)
        database.execute("BEGIN EXCLUSIVE")
        tracker.log(ROWS[0])
        begun = time.monotonic()
        tracker.scores({"accuracy": 0.5})
    assert time.monotonic() - begun < 60
    database.close()
    assert_one_warning(caplog)
    assert run_of("train").info.status == "RUNNING"


@pytest.mark.usefixtures("unbuffered")
def test_a_store_that_breaks_during_a_stage_costs_a_warning_and_no_stage(
    store: MlflowClient, training: StageRun, run_of: Find, caplog: pytest.LogCaptureFixture
) -> None:
    with tracked(training) as tracker:
        tracker.log(ROWS[0])
        wait_for_steps(store, run_of, [50])
        with sqlite3.connect("mlflow.db") as database:
            database.execute("ALTER TABLE metrics RENAME TO gone")
        tracker.log(ROWS[1])
        tracker.scores({"accuracy": 0.5})
    assert_one_warning(caplog)
    with sqlite3.connect("mlflow.db") as database:
        database.execute("ALTER TABLE gone RENAME TO metrics")
    run = run_of("train")
    assert run.info.status == "RUNNING"
    assert steps(store, run, "total") == [50]


def assert_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    (warning,) = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert "make publish" in warning


def test_without_tracking_mlflow_is_not_imported_and_no_file_written(
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
    for name in ("100% mine", "mine?", "a%20b#ü"):
        monkeypatch.setenv("DVC_ROOT", str(repository / name))
        assert make_url(store_uri()).database == str(repository / name / "mlflow.db")
        assert database_file(store_uri()) == repository / name / "mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://a-server")
    assert store_uri() == "http://a-server"


TRACK = """
import sys
from pathlib import Path
from pipelines.tracking.provenance import StageRun
from pipelines.tracking.mlflow_run import tracked
from s3vae.data.clips import ClipFile
run = StageRun("train", "toy", sys.argv[1], sys.argv[1], {}, ClipFile(Path("data/toy/clips.h5")))
with tracked(run) as tracker:
    tracker.log({"step": 50.0, "total": 2.0})
sys.exit(tracker.failure is not None)
"""


@pytest.mark.slow
@pytest.mark.usefixtures("repository")
def test_stages_that_start_together_create_one_store() -> None:
    command = [sys.executable, "-W", "ignore", "-c", TRACK]
    stages = [subprocess.Popen([*command, name]) for name in ("one", "other", "third")]
    assert [stage.wait(timeout=120) for stage in stages] == [0, 0, 0]
