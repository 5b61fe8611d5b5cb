"""Laws of the runner: the same results with and without a Prefect server."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipelines.prefect_server import ROOT, configure_prefect, server
from pipelines.runner import map_shards
from s3vae.progress import Progress


def python(
    code: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the code in a new process in the root of the repository."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done


def test_results_are_in_the_order_of_the_items() -> None:
    def slow_at_first(item: int) -> int:
        time.sleep(0.05 if item == 0 else 0)
        return item * item

    assert map_shards("squares", slow_at_first, range(8), workers=4) == [i * i for i in range(8)]
    assert map_shards("nothing", str, []) == []


@pytest.mark.parametrize("by_environment", [True, False])
def test_no_more_items_than_workers_run_at_a_time(
    by_environment: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, most, lock = 0, 0, threading.Lock()

    def count(_: int) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1

    monkeypatch.setenv("S3VAE_WORKERS", "2" if by_environment else "5")
    map_shards("count", count, range(8), workers=None if by_environment else 2)
    assert most == 2


def test_the_first_failure_is_raised_unchanged_and_cancels_waiting_items() -> None:
    begun: list[int] = []
    finished: list[int] = []
    failure = LookupError("third")

    def fail_at_three(item: int) -> None:
        begun.append(item)
        time.sleep(0.01)
        if item == 3:
            raise failure
        time.sleep(0.02)
        finished.append(item)

    with pytest.raises(LookupError) as raised:
        map_shards("failing", fail_at_three, range(100), workers=2)
    assert raised.value is failure
    assert len(begun) < 10
    assert set(finished) == set(begun) - {3}  # running items are completed


def test_progress_names_every_item(monkeypatch: pytest.MonkeyPatch) -> None:
    notes: list[str] = []
    advance = Progress.advance

    def record(self: Progress, count: int = 1, note: str = "") -> None:
        notes.append(note)
        advance(self, count, note)

    monkeypatch.setattr(Progress, "advance", record)
    map_shards("named", abs, range(4), name=lambda item: f"item {item}")
    assert sorted(notes) == [f"item {item}" for item in range(4)]


def test_without_a_server_a_stage_starts_within_a_second_and_imports_no_prefect() -> None:
    done = python("""
import sys, time
begun = time.monotonic()
from pipelines.runner import map_shards, run_stage
assert map_shards("stage", str, range(3)) == ["0", "1", "2"]
assert run_stage("stage", lambda: 5) == 5
assert not {"prefect", "distributed"} & set(sys.modules)
print(time.monotonic() - begun)
""")
    assert float(done.stdout) < 1


@contextmanager
def answering(health: str, folder: Path) -> Iterator[str]:
    """Yield the URL of an API that gives this answer about its health."""
    (folder / "api").mkdir()
    (folder / "api" / "health").write_text(health)
    handler = partial(SimpleHTTPRequestHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{running.server_port}/api"
        finally:
            running.shutdown()


def test_another_program_on_the_port_is_not_mistaken_for_prefect(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with answering("<html>another program</html>", tmp_path) as url:
        monkeypatch.setenv("PREFECT_API_URL", url)
        assert not configure_prefect()
    assert "PREFECT_LOGGING_EXTRA_LOGGERS" not in os.environ


@pytest.mark.parametrize("exempt", [None, "example.org"])
def test_a_proxy_does_not_hide_a_server_on_this_machine(
    exempt: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("no_proxy", "NO_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        if name != "http_proxy":
            monkeypatch.delenv(name)
    if exempt:
        monkeypatch.setenv("NO_PROXY", exempt)
    with answering("true", tmp_path) as url:
        monkeypatch.setenv("PREFECT_API_URL", url)
        assert server() == url
    assert os.environ["no_proxy"] == os.environ["NO_PROXY"]
    assert {exempt, "127.0.0.1"} - {None} <= set(os.environ["NO_PROXY"].split(","))


STAGES = """
from pipelines.runner import map_shards, run_stage
def shard(item):
    if item == "bad":
        raise KeyError("bad shard")
    return item.upper()
assert map_shards("flow-test", shard, ["a", "b", "{c}"], workers=2) == ["A", "B", "{C}"]
result = object()
assert run_stage("train-test", lambda: result) is result
try:
    map_shards("failing-test", shard, ["bad"], workers=1)
except KeyError as error:
    assert error.args == ("bad shard",)
else:
    raise AssertionError("no failure was raised")
"""


@pytest.mark.slow
def test_with_a_server_a_stage_is_a_flow_run_with_a_task_run_for_each_shard(
    server: dict[str, str], asked: Callable[[str], Any]
) -> None:
    python(STAGES, server)
    flows = {flow["id"]: flow["name"] for flow in asked("flows")}
    states = {flows[run["flow_id"]]: run["state_type"] for run in asked("flow_runs")}
    assert states == {"flow-test": "COMPLETED", "train-test": "COMPLETED", "failing-test": "FAILED"}
    wait_for_events = time.monotonic() + 20
    while len(tasks := asked("task_runs")) < 4 and time.monotonic() < wait_for_events:
        time.sleep(0.5)
    assert sorted(task["name"] for task in tasks) == ["a", "b", "bad", "{c}"]


OUTLIVING = """
import os
import psutil
from pipelines.runner import run_stage
def work():
    port = int(os.environ["PREFECT_API_URL"].split(":")[2].removesuffix("/api"))
    for each in psutil.net_connections("tcp"):
        if each.laddr.port == port and each.status == "LISTEN":
            psutil.Process(each.pid).kill()
    return 5
assert run_stage("outliving", work) == 5
"""


@pytest.mark.slow
def test_a_stage_keeps_its_result_if_the_server_dies(server: dict[str, str]) -> None:
    done = python(OUTLIVING, server | {"PREFECT_CLIENT_MAX_RETRIES": "0"})
    assert "outliving is done, but Prefect's server could not record it" in done.stderr
