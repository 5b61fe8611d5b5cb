"""Which runs a new worker takes up: those that nobody works on any more."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from pipelines import serve
from pipelines.tools.serve import runs_alive, take_up_again, worker_name

URL = "http://127.0.0.1:4311/api"
LIVING, DEAD = "11111111-aaaa", "22222222-bbbb"


class Server:
    """A server that knows two runs at work, begun by these workers."""

    def __init__(self, *workers: str) -> None:
        self.workers, self.scheduled = workers, list[str]()

    def ask(self, _url: str, path: str, _content: Mapping[str, Any]) -> Any:
        if path == "flow_runs/filter":
            labels = [{"prefect.worker.name": name} for name in self.workers]
            return [
                {"id": run, "labels": mine}
                for run, mine in zip((LIVING, DEAD), labels, strict=True)
            ]
        self.scheduled.append(path.split("/")[1])
        return {}


@pytest.fixture
def survivor() -> Iterator[None]:
    """A process of a run whose worker was killed."""
    environment = os.environ | {"PREFECT__FLOW_RUN_ID": LIVING}
    waits = [sys.executable, "-c", "print(flush=True); input()", "prefect"]
    process = subprocess.Popen(
        waits, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    yield
    process.communicate(b"\n")


def test_what_a_dead_run_has_started_is_not_the_run() -> None:
    environment = os.environ | {"PREFECT__FLOW_RUN_ID": LIVING}
    process = subprocess.Popen(
        [sys.executable, "-c", "input()"], env=environment, stdin=subprocess.PIPE
    )
    assert LIVING not in runs_alive()
    process.communicate(b"\n")


@pytest.mark.usefixtures("survivor")
def test_a_run_that_outlived_its_worker_is_not_begun_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(worker_name(URL), worker_name(URL))
    monkeypatch.setattr(serve, "ask", server.ask)
    assert LIVING in runs_alive()
    assert take_up_again(URL) == 1
    assert server.scheduled == [DEAD]


def test_the_runs_of_another_machine_are_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server("elsewhere", worker_name(URL))
    monkeypatch.setattr(serve, "ask", server.ask)
    assert take_up_again(URL) == 1
    assert server.scheduled == [DEAD]


def test_all_dead_runs_of_this_machine_are_taken_up(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(worker_name(URL), worker_name(URL))
    monkeypatch.setattr(serve, "ask", server.ask)
    assert take_up_again(URL) == 2
    assert server.scheduled == [LIVING, DEAD]
