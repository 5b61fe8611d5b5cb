"""The laws of the runner: the same results with and without a Prefect server."""

import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.runner import ROOT, map_shards, run_stage


class Unlucky(Exception):
    """A failure of our own: it must come out as it went in."""


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, free_port: Callable[[], int]) -> None:
    """No Prefect server: its URL is a port on which nothing listens."""
    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{free_port()}/api")


@pytest.mark.usefixtures("nobody")
def test_results_come_in_the_order_of_the_items() -> None:
    def slow_at_first(item: int) -> int:
        time.sleep(0.05 if item == 0 else 0)
        return item * item

    assert map_shards("squares", slow_at_first, range(8), workers=4) == [i * i for i in range(8)]


@pytest.mark.usefixtures("nobody")
def test_no_items_give_no_results() -> None:
    assert map_shards("nothing", str, []) == []


@pytest.mark.usefixtures("nobody")
def test_no_more_items_than_workers_run_at_a_time() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def count(_: int) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1

    map_shards("count", count, range(8), workers=2)
    assert most == 2


@pytest.mark.usefixtures("nobody")
def test_the_first_failure_is_raised_as_it_is_and_cancels_what_has_not_begun() -> None:
    begun: list[int] = []
    failure = Unlucky("third")

    def fail_at_three(item: int) -> int:
        begun.append(item)
        time.sleep(0.01)
        if item == 3:
            raise failure
        return item

    with pytest.raises(Unlucky) as raised:
        map_shards("failing", fail_at_three, range(100), workers=2)
    assert raised.value is failure
    assert len(begun) < 10


def test_without_a_server_prefect_is_not_imported_and_a_stage_costs_under_a_second(
    free_port: Callable[[], int],
) -> None:
    code = """
import sys, time
begun = time.monotonic()
from pipelines.runner import map_shards, run_stage
assert map_shards("stage", str, range(3)) == ["0", "1", "2"]
assert run_stage("stage", lambda: 5) == 5
assert "prefect" not in sys.modules
print(time.monotonic() - begun)
"""
    lonely = os.environ | {"PREFECT_API_URL": f"http://127.0.0.1:{free_port()}/api"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=lonely,
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(done.stdout) < 1


def test_a_program_that_is_not_prefect_is_not_taken_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free_port: Callable[[], int]
) -> None:
    port = free_port()
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "health").write_text("<html>another program</html>")
    arguments = ["-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", tmp_path]
    other = subprocess.Popen([sys.executable, *arguments], stderr=subprocess.DEVNULL)
    try:
        wait_until_answers(f"http://127.0.0.1:{port}/api/health")
        monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{port}/api")
        assert run_stage("alone", threading.get_ident) == threading.get_ident()
        assert "PREFECT_LOGGING_EXTRA_LOGGERS" not in os.environ
    finally:
        other.terminate()
        other.wait()


def wait_until_answers(url: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError(f"{url} does not answer after {seconds} s")


STAGES = """
from pipelines.runner import map_shards, run_stage
def shard(item):
    if item == "bad":
        raise KeyError("bad shard")
    return item.upper()
assert map_shards("flow-test", shard, ["a", "b", "{c}"], workers=2) == ["A", "B", "{C}"]
kept = object()
assert run_stage("train-test", lambda: kept) is kept
try:
    map_shards("failing-test", shard, ["bad"], workers=1)
except KeyError as error:
    assert error.args == ("bad shard",)
else:
    raise AssertionError("the failure was lost")
"""


@pytest.mark.slow
def test_with_a_server_a_stage_is_a_flow_run_with_a_task_run_for_each_shard(
    server: dict[str, str], asked: Callable[[str], Any]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STAGES], cwd=ROOT, env=server, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
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
def test_a_stage_that_is_done_is_done_even_if_the_server_is_gone_by_then(
    server: dict[str, str],
) -> None:
    impatient = {"PREFECT_CLIENT_MAX_RETRIES": "0"}
    done = subprocess.run(
        [sys.executable, "-c", OUTLIVING],
        cwd=ROOT,
        env=server | impatient,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "outliving is done, but Prefect's server was not told" in done.stderr
