"""Prefect's server and a worker on this machine: `python -m pipelines.tools.serve start | stop`.

Both go on when the terminal is closed; their logs and process ids are in .prefect/serve/.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import psutil

from pipelines.prefect_server import ROOT, server, server_url

PREFECT = (sys.executable, "-m", "prefect")
KEPT = ROOT / ".prefect" / "serve"
POOL = "s3vae"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SECONDS_TO_START, SECONDS_TO_STOP = 90.0, 15.0
AT_WORK = ("RUNNING", "PENDING")


class ServeError(RuntimeError):
    """The server or the worker is not to be had."""


def start() -> list[str]:
    """Start what is not running, deploy prefect.yaml, take up runs that a kill left; says where.

    Raises ServeError with the log's last lines.
    """
    url = server_url() or "http://127.0.0.1:4200/api"
    host, port = urlparse(url).hostname, urlparse(url).port
    if server() is None:
        if host not in LOOPBACK:
            msg = f"{url} does not answer and is not on this machine: start it there"
            raise ServeError(msg)
        launch("server", ["server", "start", "--host", str(host), "--port", str(port)])
        wait("server", lambda: server() is not None)
    told = [f"Prefect: {url.removesuffix('/api')}   logs: {KEPT}"]
    works = alive("worker") is not None
    if not works:
        prefect("work-pool", "create", POOL, "--type", "process", "--overwrite")
    prefect("--no-prompt", "deploy", "--all")
    if not works:
        if left := take_up_again(url):
            told.append(f"{left} runs that a kill had left go on")
        launch("worker", ["worker", "start", "--pool", POOL, "--name", worker_name(url)])
        wait("worker", lambda: worker_name(url) in online(url))
    return [*told, "Try: prefect deployment run 'retrain/nightly' --watch   Stop: make stop"]


def stop() -> list[str]:
    """End worker and server, and what they have started."""
    told = []
    for name in ("worker", "server"):
        process = alive(name)
        if process is not None:
            family = [*process.children(recursive=True), process]
            process.terminate()
            psutil.wait_procs([process], SECONDS_TO_STOP)
            for each in family:
                if each.is_running():
                    each.kill()
            told.append(f"{name} stopped")
        (KEPT / f"{name}.pid").unlink(missing_ok=True)
    for process in (each for _, each in run_processes() if is_ours(each)):
        with suppress(psutil.NoSuchProcess):
            process.kill()  # of a worker that was killed; what it has started ends with it
        told.append("a run without a worker stopped")
    return told or ["nothing was running"]


def launch(name: str, command: Sequence[str]) -> None:
    """Start a program of Prefect's that stays, its output in a log, its process noted."""
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / f"{name}.log").open("a") as log:
        process = subprocess.Popen(
            [*PREFECT, *command],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    note = {"pid": process.pid, "created": psutil.Process(process.pid).create_time()}
    (KEPT / f"{name}.pid").write_text(json.dumps(note))


def alive(name: str) -> psutil.Process | None:
    """The program that was started under this name, if it still is that one."""
    note = KEPT / f"{name}.pid"
    if not note.exists():
        return None
    try:
        noted = json.loads(note.read_text())
        process = psutil.Process(noted["pid"])
        same = process.create_time() == noted["created"] and process.status() != "zombie"
    except (ValueError, KeyError, psutil.Error):
        return None
    return process if same else None


def wait(name: str, ready: Callable[[], bool]) -> None:
    """Until it is ready. Raises ServeError if it ends before, or takes too long."""
    end = time.monotonic() + SECONDS_TO_START
    while not ready():
        if alive(name) is None or time.monotonic() > end:
            log = (KEPT / f"{name}.log").read_text(errors="replace").splitlines()
            msg = f"Prefect's {name} does not start:\n" + "\n".join(log[-15:])
            raise ServeError(msg)
        time.sleep(0.3)


def environment() -> Mapping[str, str]:
    """What Prefect's programs are told, and through the worker every run."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {
        **os.environ,
        "PATH": path,
        "S3VAE_ROOT": str(ROOT),
        "PREFECT_HOME": str(ROOT / ".prefect"),
        "PREFECT_API_URL": server_url() or "",
        "PREFECT_LOGGING_EXTRA_LOGGERS": "s3vae",
        "DO_NOT_TRACK": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


def prefect(*command: str) -> None:
    """A command of Prefect's. Raises ServeError with what it said."""
    done = subprocess.run(
        [*PREFECT, *command],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        msg = f"prefect {' '.join(command)} failed:\n{done.stdout}{done.stderr}"
        raise ServeError(msg)


def ask(url: str, path: str, content: Mapping[str, Any]) -> Any:
    """Prefect's API."""
    request = urllib.request.Request(
        f"{url}/{path}",
        json.dumps(content).encode(),
        {"Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def online(url: str) -> set[str]:
    """The names of the workers of our pool that are at work."""
    workers = ask(url, f"work_pools/{POOL}/workers/filter", {})
    return {worker["name"] for worker in workers if worker["status"] == "ONLINE"}


def worker_name(url: str) -> str:
    """What the worker of this machine is called."""
    return f"{POOL}-{socket.gethostname()}-{urlparse(url).port}"


def take_up_again(url: str) -> int:
    """Schedule runs anew that died with the worker of this machine; how many there were.

    Workers label the runs that they begin with their names. A run whose process lives on goes on by
    itself. Trainings go on from the checkpoint.
    """
    unfinished = ask(
        url,
        "flow_runs/filter",
        {
            "flow_runs": {"state": {"type": {"any_": list(AT_WORK)}}},
            "work_pools": {"name": {"any_": [POOL]}},
        },
    )
    living, mine = runs_alive(), worker_name(url)
    dead = [
        run["id"]
        for run in unfinished
        if run["labels"].get("prefect.worker.name", mine) == mine and run["id"] not in living
    ]
    for run in dead:
        state = {"type": "SCHEDULED", "name": "AwaitingRetry", "message": "its worker was gone"}
        ask(url, f"flow_runs/{run}/set_state", {"state": state, "force": True})
    return len(dead)


def runs_alive() -> set[str]:
    """The flow runs that processes of Prefect's are at work on, on this machine.

    Workers name the run in a variable. What a dead run has started has it too: that ends by itself.
    """
    return {run for run, _ in run_processes()}


def run_processes() -> Iterator[tuple[str, psutil.Process]]:
    """The processes of Prefect's that are at work on runs, each with its run."""
    for process in psutil.process_iter():
        try:
            run = process.environ().get("PREFECT__FLOW_RUN_ID")
            if run and any("prefect" in part for part in process.cmdline()):
                yield run, process
        except psutil.Error:
            continue  # over already, or another user's


def is_ours(process: psutil.Process) -> bool:
    """Whether a worker of this folder has started it."""
    try:
        return bool(process.environ().get("S3VAE_ROOT") == str(ROOT))
    except psutil.Error:
        return False  # over already


def main() -> None:
    """Start or stop."""
    action = {"start": start, "stop": stop}.get(" ".join(sys.argv[1:]))
    if action is None:
        sys.exit("usage: python -m pipelines.tools.serve start | stop")
    try:
        print("\n".join(action()))
    except ServeError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
