"""Stages that compute signals, on a Dask cluster of separately started processes."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from distributed import Client

from pipelines.cli import DASK, feature_arguments
from pipelines.params import section, write_settings
from pipelines.paths import Layout
from pipelines.runner import ClusterError, map_shards
from pipelines.stages.flow import flow
from pipelines.stages.landmarks import landmarks
from s3vae.data.clips import ClipSet, write_clips
from s3vae.signals.detectors import LandmarkSettings
from s3vae.signals.flow_grid import MotionSettings

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 120
WORKERS = 2
CLIPS = 130
"""More than one shard holds, so that each worker computes a shard."""
SETTINGS = {
    "data": {"kind": "faces"},
    "flow": {"method": {"kind": "farneback"}},
    "landmarks": {"backend": {"kind": "annotated"}},
    "judge": {"network": {}, "training": {"steps": 1}},
    "evaluation": {},
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, clip_set: Callable[..., ClipSet]) -> Path:
    """A folder with clips of noise and random landmarks."""
    folder, draw = tmp_path_factory.mktemp("project"), np.random.default_rng(0)
    pipeline = {"datasets": {"toy": "unread"}, "models": {}, "code": ""}
    write_settings(folder, {"pipeline": pipeline, "datasets": {"toy": SETTINGS}})
    frames = draw.integers(0, 256, (CLIPS, 3, 64, 64, 1), np.uint8)
    points = draw.normal(32, 9, (CLIPS, 3, 68, 2))
    write_clips(folder / Layout("toy").clips, clip_set(frames, landmarks=points))
    return folder


@pytest.fixture(scope="module")
def scheduler(
    tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]
) -> Iterator[str]:
    """The address of a scheduler without workers."""
    address = f"tcp://127.0.0.1:{free_port()}"
    host, port = address.removeprefix("tcp://").split(":")
    command = ("scheduler", "--host", host, "--port", port, "--no-dashboard")
    running = dask(tmp_path_factory.mktemp("scheduler"), *command)
    with Client(address, timeout=SECONDS):  # type: ignore[no-untyped-call]
        yield address
    stop(running)


@pytest.fixture(scope="module")
def cluster(scheduler: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a scheduler with workers in folders of their own."""
    command = ("worker", scheduler, "--no-nanny", "--no-dashboard")
    running = [dask(tmp_path_factory.mktemp("worker"), *command) for _ in range(WORKERS)]
    with Client(scheduler, timeout=SECONDS) as client:  # type: ignore[no-untyped-call]
        client.wait_for_workers(WORKERS, timeout=SECONDS)  # type: ignore[no-untyped-call]
    yield scheduler
    for worker in running:
        stop(worker)


def dask(folder: Path, *command: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "dask", *command],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
    )


def stop(running: subprocess.Popen[bytes]) -> None:
    running.terminate()
    running.wait(SECONDS)


def stage(folder: Path, name: str, *options: str, **variables: str) -> None:
    """Run a stage with the code of this repository, and without a cluster but by `variables`."""
    kept = {variable: text for variable, text in os.environ.items() if variable != DASK}
    subprocess.run(
        [sys.executable, "-m", f"pipelines.stages.{name}", "toy", *options],
        cwd=folder,
        env=kept | {"PYTHONPATH": str(ROOT)} | variables,
        check=True,
        capture_output=True,
        timeout=SECONDS,
    )


@pytest.fixture(scope="module")
def by_threads(project: Path) -> dict[str, bytes]:
    """The bytes of both signals made without a cluster."""
    files = Layout("toy")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        patch.delenv(DASK, raising=False)
        flow("toy", files.clips, section(MotionSettings, "toy", "flow"), files.flow)
        settings = section(LandmarkSettings, "toy", "landmarks")
        landmarks("toy", files.clips, settings, files.landmarks)
    return take_signals(project)


def take_signals(project: Path) -> dict[str, bytes]:
    """Return the bytes of both signal files and delete them."""
    taken = {}
    for path in (project / Layout("toy").flow, project / Layout("toy").landmarks):
        taken[path.name] = path.read_bytes()
        path.unlink()
    return taken


@pytest.mark.parametrize("running", [True, False])
def test_a_cluster_without_workers_or_scheduler_is_refused_by_its_address(
    running: bool, scheduler: str, monkeypatch: pytest.MonkeyPatch, free_port: Callable[[], int]
) -> None:
    address = scheduler if running else f"tcp://127.0.0.1:{free_port()}"
    message = f"{address} has no workers" if running else f"no Dask scheduler answers at {address}"
    monkeypatch.setattr("pipelines.runner.SECONDS_TO_CONNECT", 1)
    monkeypatch.setenv(DASK, address)
    with pytest.raises(ClusterError, match=re.escape(message)):
        map_shards("none", str, range(3), anywhere=True)


def test_a_cluster_writes_the_same_bytes_as_threads(
    project: Path, by_threads: dict[str, bytes], cluster: str
) -> None:
    stage(project, "flow", "--runner", "dask", "--address", cluster)
    stage(project, "landmarks", **{DASK: cluster})
    assert take_signals(project) == by_threads
    assert not list((project / ".checkpoints" / "flow").iterdir())


def process_of(_: int) -> int:
    time.sleep(0.2)  # so that both workers get items
    return os.getpid()


@pytest.mark.parametrize("anywhere", [True, False])
def test_only_work_that_may_run_anywhere_runs_on_the_cluster(
    anywhere: bool, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DASK, cluster)
    processes = set(map_shards("who", process_of, range(8), anywhere=anywhere))
    assert len(processes) == (WORKERS if anywhere else 1)
    assert (os.getpid() in processes) == (not anywhere)


@pytest.mark.parametrize(
    ("function", "failure"),
    [((1).__floordiv__, ZeroDivisionError), (lambda item: threading.Lock(), TypeError)],
    ids=["an error", "a result that cannot be sent"],
)
def test_the_first_failure_on_a_cluster_is_raised_unchanged(
    function: Callable[[int], object],
    failure: type[Exception],
    cluster: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(DASK, cluster)
    with pytest.raises(failure):
        map_shards("fails", function, [1, 0, 1], anywhere=True)


def test_a_cluster_needs_an_address(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(DASK, raising=False)
    monkeypatch.setattr(sys, "argv", ["flow", "toy", "--runner", "dask"])
    with pytest.raises(SystemExit):
        feature_arguments("dataset")
    assert "--runner dask needs --address tcp://HOST:PORT" in capsys.readouterr().err


@pytest.mark.slow
def test_under_a_prefect_server_shards_are_task_runs_of_the_cluster(
    project: Path,
    by_threads: dict[str, bytes],
    cluster: str,
    server: dict[str, str],
    asked: Callable[[str], Any],
) -> None:
    url = server["PREFECT_API_URL"]
    for name in ("flow", "landmarks"):
        stage(project, name, PREFECT_API_URL=url, **{DASK: cluster})
    assert take_signals(project) == by_threads
    assert {run["state_type"] for run in asked("flow_runs")} == {"COMPLETED"}
    until = time.monotonic() + 20
    while len(tasks := asked("task_runs")) < 4 and time.monotonic() < until:
        time.sleep(0.5)
    assert sorted(task["name"] for task in tasks) == ["0-127", "0-127", "128-129", "128-129"]
