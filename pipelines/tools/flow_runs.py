"""The flow runs of this machine: their processes, and a new start for those without one."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlparse

import psutil
import requests

POOL = "s3vae"
"""Prefect's work pool."""


def ask(url: str, path: str, content: Mapping[str, Any]) -> Any:
    """Post to Prefect's API and return the answer."""
    answer = requests.post(f"{url}/{path}", json=content, timeout=10)
    answer.raise_for_status()
    return answer.json()


def is_online(url: str, worker: str) -> bool:
    """Return whether the worker of this name runs."""
    workers = ask(url, f"work_pools/{POOL}/workers/filter", {})
    return any(each["name"] == worker and each["status"] == "ONLINE" for each in workers)


def worker_name(url: str) -> str:
    """Return the name of this machine's worker."""
    return f"{POOL}-{socket.gethostname()}-{urlparse(url).port}"


def reschedule(url: str) -> int:
    """Schedule again the runs that died with this machine's worker; return their number.

    Workers label their runs with their names. A run whose process still lives goes on by itself.
    """
    states = {"state": {"type": {"any_": ["RUNNING", "PENDING"]}}}
    query = {"flow_runs": states, "work_pools": {"name": {"any_": [POOL]}}}
    alive, mine = {run for run, _, _ in run_processes()}, worker_name(url)
    dead = [
        run["id"]
        for run in ask(url, "flow_runs/filter", query)
        if run["labels"].get("prefect.worker.name", mine) == mine and run["id"] not in alive
    ]
    state = {"type": "SCHEDULED", "name": "AwaitingRetry", "message": "its worker was gone"}
    for run in dead:
        ask(url, f"flow_runs/{run}/set_state", {"state": state, "force": True})
    return len(dead)


def run_processes() -> Iterator[tuple[str, str | None, psutil.Process]]:
    """Yield the flow run, the clone and the process of every run on this machine.

    Workers put the run's id into its environment, which programs that the run starts inherit: only
    Prefect's own processes count.
    """
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # it has ended meanwhile, or is another user's
            variables = process.environ()
            run = variables.get("PREFECT__FLOW_RUN_ID")
            if run and any("prefect" in part for part in process.cmdline()):
                yield run, variables.get("S3VAE_ROOT"), process
