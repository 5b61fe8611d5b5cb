"""The runs that a new worker reschedules: those without a process."""

import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from pipelines.tools import flow_runs
from pipelines.tools.flow_runs import reschedule, run_processes, worker_name

URL = "http://127.0.0.1:4311/api"
LIVING, DEAD = "11111111-aaaa", "22222222-bbbb"


def server(workers: tuple[str, str], scheduled: list[str]) -> Any:
    """A stand-in for the API with two unfinished runs of these workers; notes what is scheduled."""

    def ask(_url: str, path: str, _content: Mapping[str, Any]) -> Any:
        if path != "flow_runs/filter":
            scheduled.append(path.split("/")[1])
        runs = zip((LIVING, DEAD), workers, strict=True)
        return [{"id": run, "labels": {"prefect.worker.name": name}} for run, name in runs]

    return ask


def process_of_run(name: str) -> subprocess.Popen[bytes]:
    """A process in the environment of a run, with this name among its arguments."""
    return subprocess.Popen(
        [sys.executable, "-c", "input()", name],
        env=os.environ | {"PREFECT__FLOW_RUN_ID": LIVING},
        stdin=subprocess.PIPE,
    )


@pytest.mark.parametrize(
    ("process", "worker", "expected"),
    [
        ("prefect", worker_name(URL), [DEAD]),  # outlived its worker
        ("dvc", worker_name(URL), [LIVING, DEAD]),  # only a program that the run had started
        ("dvc", "elsewhere", [DEAD]),  # another machine's
    ],
)
def test_runs_of_this_machine_without_a_process_are_rescheduled(
    process: str, worker: str, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduled: list[str] = []
    monkeypatch.setattr(flow_runs, "ask", server((worker, worker_name(URL)), scheduled))
    with process_of_run(process) as running:
        while not any(run == LIVING for run, _, _ in run_processes()) and process == "prefect":
            assert running.poll() is None
        assert reschedule(URL) == len(expected)
        running.communicate(b"\n")
    assert scheduled == expected
