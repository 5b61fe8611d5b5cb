"""Scheduled retraining with a real server, a real worker and real faults, at a tiny size."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import pytest
import requests
from ruamel.yaml import YAML

from pipelines.params import write_settings

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[3]
PARAMS = """
pipeline:
  datasets: {dsprites: s3vae/data/dsprites, mine: my-videos}
  faces: []
  models:
    dsprites-s3vae: {dataset: dsprites, method: s3vae}
    mine-s3vae: {dataset: mine, method: s3vae}
  code: ''
datasets:
  dsprites:
    data: {kind: dsprites, time: 4, takes: 1}
    flow: {}
    judge: &judge {network: {width: 4}, training: {steps: 4, batch_size: 8}}
    evaluation: {sampling_seeds: [0], least_judge_accuracy: 0, probe_clips: 60}
    methods:
      s3vae:
        architecture: &small {preset: fast, decoder_width: 4, encoder_width: 4}
        losses: &losses {preset: released}
        training: {steps: 600, batch_size: 8, checkpoint_every: 50}
  mine:
    data: {kind: videos, cut: {time: 4, stride: 1}, most_unreadable: 0.2}
    flow: {}
    judge: *judge
    evaluation: {sampling_seeds: [0]}
    methods:
      s3vae: {architecture: *small, losses: *losses, training: {steps: 4, batch_size: 8}}
"""
SERVE = (sys.executable, "-m", "pipelines.tools.serve")


def film(path: Path, seed: int) -> None:
    """A short video of noise that drifts."""
    noise = np.random.default_rng(seed).integers(0, 256, (80, 80, 3), np.uint8)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (80, 80))
    for frame in range(8):
        writer.write(np.roll(noise, frame, axis=1))
    writer.release()


@dataclass
class Project:
    """A clone with a small pipeline, a Prefect server and a worker of its own."""

    folder: Path
    environment: dict[str, str]

    def run(self, *command: str, fails: bool = False) -> str:
        """Run a command, which must succeed or must fail; return its output."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    def ask(self, path: str, content: object = None) -> Any:
        """Query Prefect's API."""
        method = "GET" if content is None else "POST"
        url = f"{self.environment['PREFECT_API_URL']}/{path}"
        reply = requests.request(method, url, json=content, timeout=10)
        reply.raise_for_status()
        return reply.json()

    def trigger(self, **parameters: object) -> str:
        """Start a run; return its id."""
        asked = [f"--param={name}={json.dumps(value)}" for name, value in parameters.items()]
        self.run("prefect", "deployment", "run", "retrain/nightly", *asked)
        runs = self.ask("flow_runs/filter", {"sort": "EXPECTED_START_TIME_DESC"})
        return next(run["id"] for run in runs if run["deployment_id"] and not run["auto_scheduled"])

    def ended(self, run: str, seconds: float = 300) -> dict[str, Any]:
        """Wait for the end of a run."""
        wait_for(lambda: self.ask(f"flow_runs/{run}")["state_type"] in ENDED, seconds)
        found: dict[str, Any] = self.ask(f"flow_runs/{run}")
        return found

    def completed(self, run: str) -> dict[str, Any]:
        """Wait for the end of a run, which must succeed."""
        found = self.ended(run)
        assert found["state_type"] == "COMPLETED", self.log()
        return found

    def copied(self, folder: Path, **variables: str) -> "Project":
        """Return a copy in which stages run without the server."""
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns(".prefect", ".git"))
        alone = {"PREFECT_API_URL": "http://127.0.0.1:9/api"}
        return Project(folder, self.environment | alone | variables)

    def retrained(self, **parameters: object) -> str:
        """Run the flow, which must succeed; return its message."""
        return str(self.completed(self.trigger(**parameters))["state"]["message"])

    def log(self) -> str:
        return (self.folder / ".prefect/serve/worker.log").read_text()

    def set(self, **training: int) -> None:
        """Change the training of the model of dsprites."""
        path, yaml = self.folder / "configs" / "dsprites.yaml", YAML()
        content = yaml.load(path)
        content["methods"]["s3vae"]["training"] |= training
        yaml.dump(content, path)

    def processes(self) -> list[psutil.Process]:
        """Return the worker and its processes."""
        note = json.loads((self.folder / ".prefect/serve/worker.pid").read_text())
        worker = psutil.Process(note["pid"])
        return [worker, *worker.children(recursive=True)]

    def training(self) -> bool:
        """Return whether the training on dsprites has a checkpoint."""
        return any((self.folder / ".checkpoints/train").glob("*.safetensors"))

    def weights(self) -> bytes:
        return (self.folder / "data/dsprites/s3vae/weights.safetensors").read_bytes()

    def versions(self) -> list[str]:
        """Return the registry's lines about dsprites' model."""
        lines = self.run(sys.executable, "-m", "pipelines.retraining.registry").splitlines()
        below = lines[lines.index("dsprites-s3vae") + 1 :]
        return list(takewhile(lambda line: line.startswith(" "), below))


ENDED = ("COMPLETED", "FAILED", "CANCELLED", "CRASHED")


def wait_for(ready: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def project(
    tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]
) -> Iterator[Project]:
    """A project with a server, a deployment and one run."""
    folder = tmp_path_factory.mktemp("project 1%?")  # SQLite addresses end at a ?
    for name in ("s3vae", "pipelines"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dvc.yaml", ".dvcignore", ".gitignore", "prefect.yaml", "prefect.toml"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "my-videos").mkdir()
    for seed in range(12):
        film(folder / "my-videos" / f"{seed:02}.avi", seed)
    write_settings(folder, YAML(typ="safe").load(PARAMS))
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(folder),
        "OMP_NUM_THREADS": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PREFECT_API_URL": f"http://127.0.0.1:{free_port()}/api",
        "PREFECT_HOME": str(folder / ".prefect"),
    }
    environment.pop("MLFLOW_TRACKING_URI", None)
    made = Project(folder, environment)
    made.run("git", "init", "--quiet")
    made.run("dvc", "init", "--quiet")
    made.run("dvc", "cache", "dir", ".dvc/cache")  # whatever this machine's is
    made.run(*SERVE, "start")
    try:
        made.retrained()
        yield made
    finally:
        made.run(*SERVE, "stop")


def test_the_first_run_makes_champions(project: Project) -> None:
    (version,) = project.versions()
    assert "champion" in version
    assert "there was none" in version
    assert "mine-s3vae version 1 is the champion: there was none, and it was not" in project.log()


def test_prefect_shows_artifacts_and_links_to_mlflow_and_back(project: Project) -> None:
    artifacts = {each["key"]: each for each in project.ask("artifacts/latest/filter", {})}
    assert {"dsprites-s3vae-scores", "dsprites-s3vae-mlflow", "dsprites-s3vae-swap"} <= set(
        artifacts
    )
    assert artifacts["dsprites-s3vae-swap"]["data"].startswith("data:image/png;base64,")
    rows = json.loads(artifacts["dsprites-s3vae-scores"]["data"])
    assert rows[0]["score"] == "accuracy"
    assert float(rows[0]["new"]) > 0
    assert "/#/experiments/1/runs/" in artifacts["dsprites-s3vae-mlflow"]["data"]
    assert artifacts["progress"]["data"] is not None
    tags = project.run(
        sys.executable,
        "-c",
        "from pipelines.tracking.store import Store;"
        "run = Store().find(kind='train', dataset='dsprites');"
        "print('RUN', run.data.tags['prefect.retrain_run_id'])",
    )
    run = tags.split("RUN ")[1].split()[0]
    assert project.ask(f"flow_runs/{run}")["state_type"] == "COMPLETED"


def test_without_changes_a_run_ends_soon_and_registers_nothing(project: Project) -> None:
    before = project.versions()
    found = project.completed(project.trigger())
    assert found["state"]["message"].startswith("Nothing changed")
    assert found["total_run_time"] <= 15
    assert project.versions() == before


def test_a_dry_run_reports_stages_and_changes_nothing(project: Project) -> None:
    weights = project.weights()
    project.set(seed=9)
    message = project.retrained(dry_run=True)
    assert message == "Would run: train@dsprites-s3vae, evaluate@dsprites-s3vae, table"
    assert project.weights() == weights
    project.set(seed=0)


def test_a_run_killed_with_its_worker_goes_on_to_the_same_weights(
    project: Project, tmp_path: Path
) -> None:
    project.set(seed=1)
    alone = project.copied(tmp_path / "alone")
    run = project.trigger()
    wait_for(project.training)
    for process in project.processes():
        process.kill()
    assert project.training()
    assert "1 runs that a kill had interrupted go on" in project.run(*SERVE, "start")
    project.completed(run)
    assert not project.training()
    alone.run(sys.executable, "-m", "pipelines.stages.train", "dsprites", "s3vae")
    assert project.weights() == alone.weights()


def test_a_training_that_is_killed_alone_is_retried(project: Project) -> None:
    project.set(seed=5)
    run = project.trigger()
    wait_for(project.training)
    (training,) = (
        each
        for each in project.processes()
        if each.cmdline()[1:3] == ["-m", "pipelines.stages.train"]
    )
    training.kill()
    assert project.completed(run)["run_count"] == 1
    assert "exited with" in project.log()


def test_the_second_of_two_runs_waits_and_both_succeed(project: Project) -> None:
    project.set(seed=2)
    runs = [project.trigger() for _ in range(2)]
    first, second = sorted(map(project.completed, runs), key=lambda run: str(run["start_time"]))
    assert datetime.fromisoformat(first["end_time"]) <= datetime.fromisoformat(second["start_time"])
    assert second["state"]["message"].startswith("Nothing changed")


def test_a_cancelled_run_leaves_no_process(project: Project) -> None:
    project.set(seed=3)
    run = project.trigger()
    wait_for(project.training)
    family = project.processes()[1:]
    assert any("pipelines.stages.train" in " ".join(process.cmdline()) for process in family)
    project.run("prefect", "flow-run", "cancel", run)
    assert project.ended(run)["state_type"] == "CANCELLED"
    psutil.wait_procs(family, timeout=30)
    assert not any(process.is_running() for process in family)
    project.retrained()  # goes on where it was


def test_an_unreadable_video_is_named_and_the_rest_is_retrained(project: Project) -> None:
    for seed in range(50, 54):  # some of them are for training
        film(project.folder / "my-videos" / f"{seed}.avi", seed)
    (project.folder / "my-videos" / "bad.avi").write_text("no video")
    before = (project.folder / "data/mine/s3vae/weights.safetensors").read_bytes()
    message = project.retrained(datasets=["mine"])
    assert "mine-s3vae version 2 is the challenger: was not judged" in message
    assert "bad.avi" in project.log()
    assert (project.folder / "data/mine/s3vae/weights.safetensors").read_bytes() != before


def test_one_data_set_that_fails_does_not_stop_another(project: Project) -> None:
    bad = [project.folder / "my-videos" / f"bad-{number}.avi" for number in range(20)]
    for path in bad:
        path.write_text("no video")
    project.set(seed=7)
    before = project.versions()
    found = project.ended(project.trigger())
    for path in bad:
        path.unlink()
    assert found["state_type"] == "FAILED"
    assert "failed to reproduce" in found["state"]["message"]
    assert len(project.versions()) == len(before) + 1
    project.retrained()


def test_a_run_waits_for_a_stage_run_by_hand(project: Project) -> None:
    project.set(seed=8)
    by_hand = subprocess.Popen(
        ["dvc", "repro", "--quiet", "train@dsprites-s3vae"],
        cwd=project.folder,
        env=project.environment,
    )
    wait_for(project.training)
    project.retrained()
    assert by_hand.wait() == 0
    assert "another DVC process runs a stage here" in project.log()


def test_a_run_whose_worker_was_killed_ends_with_make_stop(project: Project) -> None:
    project.set(seed=9)
    project.trigger()
    wait_for(project.training)
    worker, *family = project.processes()
    worker.kill()
    assert "a run without a worker stopped" in project.run(*SERVE, "stop")
    psutil.wait_procs(family, timeout=30)
    assert not any(process.is_running() for process in family)
    project.run(*SERVE, "start")
    wait_for(lambda: not project.training())  # the run is taken up again
    project.retrained()


def test_a_corrupted_output_is_named_and_restored(project: Project) -> None:
    path = project.folder / "data/dsprites/clips.h5"
    good, known = path.read_bytes(), path.stat()
    path.chmod(0o644)
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    os.utime(path, ns=(known.st_atime_ns, known.st_mtime_ns))
    project.retrained()
    assert (
        "data/dsprites/clips.h5 (the working folder, written by acquire@dsprites)" in project.log()
    )
    assert path.read_bytes() == good


def test_a_champion_is_verified_by_a_fresh_process_and_moved_back(project: Project) -> None:
    register = sys.executable, "-m", "pipelines.retraining.registry"
    number = project.versions()[-1].split()[0]
    project.run(*register, "champion", "dsprites-s3vae", number)
    (champion,) = (line.split() for line in project.versions() if line.split()[3] == "champion")
    assert champion[0] == number
    said = project.run(*register, "verify", "dsprites-s3vae")
    assert f"dsprites-s3vae version {number} gives the scores" in said
    assert "has no version 99" in project.run(
        *register, "champion", "dsprites-s3vae", "99", fails=True
    )


def test_a_training_survives_the_loss_of_mlflow_and_is_published_later(
    project: Project, tmp_path: Path, free_port: Callable[[], int], answers: Callable[[str], bool]
) -> None:
    """The server is real, really killed and started again."""
    port = str(free_port())
    address = f"http://127.0.0.1:{port}"
    alone = project.copied(tmp_path / "alone", MLFLOW_TRACKING_URI=address)
    alone.set(seed=4)
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--port", port]
    command += ["--backend-store-uri", f"sqlite:///{tmp_path}/store.db"]
    command += ["--artifacts-destination", str(tmp_path / "artifacts")]
    environment = alone.environment | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}

    def start() -> subprocess.Popen[bytes]:
        with (tmp_path / "mlflow.log").open("ab") as log:
            started = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        wait_for(lambda: answers(f"{address}/health"))
        return started

    def kill(process: subprocess.Popen[bytes]) -> None:
        for each in [*psutil.Process(process.pid).children(recursive=True), process]:
            each.kill()
        process.wait()

    server = start()
    stage = [sys.executable, "-m", "pipelines.stages.train", "dsprites", "s3vae"]
    with subprocess.Popen(
        stage, cwd=alone.folder, env=alone.environment, stderr=subprocess.PIPE, text=True
    ) as training:
        wait_for(alone.training)
        kill(server)
        said = training.stderr.read()
    assert training.returncode == 0
    assert "MLflow's store failed" in said
    server = start()
    try:
        alone.run(sys.executable, "-m", "pipelines.tracking.publish")
        steps = alone.run(
            sys.executable,
            "-c",
            "from pipelines.tracking.store import Store; s = Store();"
            "run = s.find(kind='train', dataset='dsprites');"
            "rows = s.client.get_metric_history(run.info.run_id, 'total');"
            "print('LAST', max(row.step for row in rows))",
        )
    finally:
        kill(server)
    assert "LAST 600" in steps
