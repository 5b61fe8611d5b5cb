"""A repository with one small data set, one model and an empty MLflow store."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from socket import socket
from typing import Any

import numpy as np
import pytest
import torch
from mlflow import MlflowClient
from mlflow.entities import Run

from pipelines.paths import Layout
from pipelines.tracking.provenance import StageRun, run_key
from s3vae.baselines.saved import save_model
from s3vae.data.clips import ClipFile, ClipSet, Factor, write_clips
from s3vae.engine.schedule import TrainingSettings
from s3vae.model.architecture import architecture
from s3vae.model.s3vae import S3VAE

FOREIGN_WARNINGS = (
    "ignore:_NoneStep.value:DeprecationWarning",  # of DVC
    "ignore::sqlalchemy.exc.SADeprecationWarning",  # MLflow's use of SQLAlchemy 2.1
    "ignore:.*Any type hint is inferred as AnyType:UserWarning",  # MLflow's own types
)
OURS = ("MLFLOW_TRACKING_URI", "DVC_ROOT", "DVC_STAGE", "S3VAE_TRACKING")


def pytest_itemcollected(item: pytest.Item) -> None:
    item.add_marker(pytest.mark.filterwarnings(*FOREIGN_WARNINGS))


@pytest.fixture(scope="session", autouse=True)
def _no_prefect_server() -> Iterator[None]:
    """Hide this machine's own server from the tests: nothing listens on the port `discard`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
        yield


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store's tables, which take seconds to create but not to copy."""
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


def toy_set(frames: Sequence[np.ndarray] | np.ndarray, **more: Any) -> ClipSet:
    """Return the data set `toy`: without `more`, it has no labels and a train split alone."""
    count = len(frames)
    unlabelled = {"factors": (), "labels": {}, "split": np.zeros(count, np.uint8)}
    return ClipSet(
        name="toy",
        source="drawn at random",
        licence="MIT",
        parameters={},
        shape=(count, *frames[0].shape),
        frames=frames,
        identity=np.arange(count),
        **unlabelled | more,
    )


@pytest.fixture(scope="session")
def clip_set() -> Callable[..., ClipSet]:
    """Return the data set `toy` with these frames."""
    return toy_set


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the clips and a model of the data set `toy`."""
    folder, files = tmp_path_factory.mktemp("toy"), Layout("toy")
    clips = toy_set(
        np.random.default_rng(0).integers(0, 256, (6, 4, 64, 64, 3), np.uint8),
        factors=(Factor("shape", "static", ("heart", "square")),),
        labels={"shape": np.arange(6) % 2},
        split=np.array([0, 0, 0, 1, 2, 2]),
    )
    write_clips(folder / files.clips, clips)
    torch.manual_seed(0)
    sizes = {"recurrent": 16, "features": 16, "encoder_width": 4, "decoder_width": 4}
    save_model(S3VAE(architecture("fast", **sizes)), folder / files.model("tiny"))
    return folder


@pytest.fixture
def repository(toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, which holds the clips and a model of the data set `toy`."""
    for name in OURS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(toy, tmp_path, dirs_exist_ok=True))


@pytest.fixture
def store(repository: Path, empty_database: Path) -> MlflowClient:
    """The default store of the repository, without runs."""
    shutil.copy(empty_database, repository / "mlflow.db")
    return MlflowClient(f"sqlite:///{repository / 'mlflow.db'}")


@pytest.fixture
def run_of(store: MlflowClient) -> Callable[[str], Run]:
    """Return the only run of a kind."""

    def find(kind: str) -> Run:
        ids = [experiment.experiment_id for experiment in store.search_experiments()]
        (run,) = store.search_runs(ids, f"tags.`s3vae.kind` = '{kind}'")
        return run

    return find


@pytest.fixture
def training(repository: Path) -> StageRun:
    """A training of the method `tiny` on the data set."""
    settings, clips = TrainingSettings(steps=2), ClipFile(repository / Layout("toy").clips)
    nested = {"training": dataclasses.asdict(settings), "seeds": (0, 1)}
    return StageRun("train", "toy", "tiny", run_key("train", settings, clips), nested, clips)


@pytest.fixture(scope="session")
def git() -> Callable[..., str]:
    """Run git in the current folder; return its output."""

    def run(*arguments: str) -> str:
        identity = ("-c", "user.name=a", "-c", "user.email=a@b.c")
        command = ["git", *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    return run


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Return a port on which nothing listens."""

    def find() -> int:
        with socket() as listener:
            listener.bind(("127.0.0.1", 0))
            return int(listener.getsockname()[1])

    return find


@pytest.fixture
def server(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[dict[str, str]]:
    """The environment of a new Prefect server with a home of its own."""
    port = str(free_port())
    settings = {
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_HOME": str(tmp_path / "home"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "true",
    }
    environment = os.environ | settings
    command = [sys.executable, "-m", "prefect", "server", "start", "--port", port]
    with (tmp_path / "server.log").open("w") as log:
        started = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=tmp_path)
        try:
            health = f"{settings['PREFECT_API_URL']}/health"
            deadline = time.monotonic() + 60
            while not responds(health):
                assert time.monotonic() < deadline, "the Prefect server does not answer"
                time.sleep(0.2)
            yield environment
        finally:
            started.terminate()
            started.wait(30)


def responds(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="session")
def answers() -> Callable[[str], bool]:
    """Return whether a server answers at a URL."""
    return responds


@pytest.fixture
def asked(server: dict[str, str]) -> Callable[[str], Any]:
    """Return all objects of a kind on the Prefect server: flows, flow_runs, task_runs."""

    def ask(kind: str) -> Any:
        request = urllib.request.Request(
            f"{server['PREFECT_API_URL']}/{kind}/filter",
            data=b"{}",
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as reply:
            return json.load(reply)

    return ask
