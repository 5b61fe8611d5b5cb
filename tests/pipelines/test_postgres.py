"""MLflow's and Prefect's servers with a Postgres behind them, as compose.yaml runs them."""

import os
import pwd
import re
import shlex
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
from mlflow import MlflowClient
from ruamel.yaml import YAML

from pipelines.paths import Layout
from pipelines.tracking.mlflow_run import tracked
from pipelines.tracking.provenance import StageRun

ROOT = Path(__file__).resolve().parents[2]
INITDB = shutil.which("initdb") or next(
    (str(found) for found in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))), None
)
SECONDS = 90
ACCOUNT = "postgres"
"""The user of Debian's packages: Postgres does not run as root."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(INITDB is None, reason="there is no Postgres: install `postgresql`"),
]


def until(ready: Callable[[], object], running: subprocess.Popen[bytes]) -> None:
    """Wait until a server answers; fail if it has ended."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            ready()
        except (OSError, psycopg2.OperationalError):
            assert running.poll() is None, "the server has ended"
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.2)
        else:
            return


@pytest.fixture(scope="module")
def postgres(
    tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]
) -> Iterator[str]:
    """A Postgres with the databases `mlflow` and `prefect`: user, host and port of an address."""
    folder, port = tmp_path_factory.mktemp("postgres"), free_port()
    owner = {"user": ACCOUNT, "group": ACCOUNT} if os.getuid() == 0 else {}
    if owner:
        account = pwd.getpwnam(ACCOUNT)
        os.chown(folder, account.pw_uid, account.pw_gid)
        for above in folder.parents[:3]:  # pytest's folders are its user's alone
            above.chmod(above.stat().st_mode | 0o011)
    data = folder / "data"
    subprocess.run(
        [str(INITDB), "--pgdata", data, "--username", "s3vae", "--auth", "trust"],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=folder,
        **owner,  # type: ignore[call-overload]
    )
    server = Path(str(INITDB)).resolve().parent / "postgres"
    where = ("-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", folder)
    running = subprocess.Popen([server, *where], cwd=folder, stderr=subprocess.DEVNULL, **owner)
    address = f"s3vae@127.0.0.1:{port}"
    try:
        until(lambda: psycopg2.connect(f"postgresql://{address}/postgres").close(), running)
        admin = psycopg2.connect(f"postgresql://{address}/postgres")
        admin.autocommit = True
        for name in ("mlflow", "prefect"):
            admin.cursor().execute(f"CREATE DATABASE {name}")
        admin.close()
        yield address
    finally:
        running.terminate()
        running.wait(SECONDS)


def rows(address: str, database: str, query: str) -> list[tuple[object, ...]]:
    """Query a database."""
    connection = psycopg2.connect(f"postgresql://{address}/{database}")
    cursor = connection.cursor()
    cursor.execute(query)
    found: list[tuple[object, ...]] = cursor.fetchall()
    connection.close()
    return found


def as_composed(
    service: str, postgres: str, port: int, artifacts: Path
) -> tuple[list[str], dict[str, str]]:
    """Return command and environment of a service of compose.yaml, for this machine."""
    definition = YAML(typ="safe").load(ROOT / "compose.yaml")["services"][service]
    here = {"0.0.0.0": "127.0.0.1", "5000": str(port), "4200": str(port)}
    here["/artifacts"] = str(artifacts)
    command = [here.get(word, word) for word in shlex.split(definition["command"])]
    database = re.compile(r"s3vae:\$\{POSTGRES_PASSWORD\}@postgres(?=/)")
    environment = {
        name: database.sub(postgres, text) for name, text in definition["environment"].items()
    }
    assert any(postgres in text for text in environment.values())
    return [sys.executable, "-m", *command], os.environ | environment


@contextmanager
def composed_server(
    service: str, postgres: str, port: int, folder: Path, **variables: str
) -> Iterator[dict[str, str]]:
    """Run a service of compose.yaml on this machine; yields its environment."""
    command, environment = as_composed(service, postgres, port, folder)
    environment |= variables
    quiet = subprocess.DEVNULL
    running = subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet, cwd=folder)
    health = f"http://127.0.0.1:{port}/{'api/' if service == 'prefect' else ''}health"
    try:
        until(lambda: urllib.request.urlopen(health, timeout=2).close(), running)
        yield environment
    finally:
        running.terminate()
        running.wait(SECONDS)


def test_a_stage_is_logged_with_its_model_on_a_server_with_postgres(
    training: StageRun,
    postgres: str,
    free_port: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
    repository: Path,
) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    with composed_server("mlflow", postgres, port, repository):
        with tracked(training, live=False) as tracker:
            tracker.log({"step": 1.0, "total": 2.5})
            tracker.scores({"accuracy": 0.5})
            tracker.model(repository / Layout("toy").model("tiny"))
        client = MlflowClient(address)
        experiment = client.get_experiment_by_name("s3vae")
        (run,) = client.search_runs([experiment.experiment_id], "tags.`s3vae.kind` = 'train'")
    assert tracker.failure is None
    metrics = "SELECT key, value, step FROM metrics ORDER BY key"
    assert rows(postgres, "mlflow", metrics) == [("accuracy", 0.5, 0), ("total", 2.5, 1)]
    assert run.outputs.model_outputs
    assert not (repository / "mlflow.db").exists()


def test_a_prefect_server_with_postgres_stores_flow_runs(
    postgres: str, tmp_path: Path, free_port: Callable[[], int]
) -> None:
    port = free_port()
    places = {"PREFECT_API_URL": f"http://127.0.0.1:{port}/api", "PREFECT_HOME": str(tmp_path)}
    with composed_server("prefect", postgres, port, tmp_path, **places) as environment:
        stage = "from pipelines.runner import run_stage; assert run_stage('toy', lambda: 5) == 5"
        subprocess.run([sys.executable, "-c", stage], cwd=ROOT, env=environment, check=True)
    query = "SELECT flow.name, state_type FROM flow_run JOIN flow ON flow.id = flow_run.flow_id"
    assert rows(postgres, "prefect", query) == [("toy", "COMPLETED")]
