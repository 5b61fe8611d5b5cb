"""Prefect's server and a worker on this machine: `python -m pipelines.tools.serve start | stop`.

Both outlive the terminal; their logs and process ids are in .prefect/serve/. `prefect server start
--background` does not suffice: it drops the server's log, and after a crash of the machine its
process id file prevents the next start, which cron may do (docs/pipeline.md).
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlparse

import psutil

from pipelines.prefect_server import LOOPBACK, ROOT, server, server_url
from pipelines.tools.flow_runs import POOL, is_online, reschedule, run_processes, worker_name

PREFECT = (sys.executable, "-m", "prefect")
FOLDER = ROOT / ".prefect" / "serve"
DATABASE = ("PREFECT_SERVER_DATABASE_CONNECTION_URL", "PREFECT_API_DATABASE_CONNECTION_URL")
SQLITE = "sqlite+aiosqlite:///.prefect/prefect.db"
SECONDS_TO_START, SECONDS_TO_STOP = 90.0, 15.0


class ServeError(RuntimeError):
    """The server or the worker cannot be started."""


def start() -> Iterator[str]:
    """Start server and worker unless they run, deploy prefect.yaml, reschedule runs after a kill.

    Raises ServeError with the last lines of the log.
    """
    url = server_url() or "http://127.0.0.1:4200/api"
    address = urlparse(url)
    if server() is None:
        if address.hostname not in LOOPBACK:
            raise ServeError(f"{url} does not answer and is not on this machine: start it there")
        place = ["--host", str(address.hostname), "--port", str(address.port)]
        launch("server", ["server", "start", *place], ready=lambda: server() is not None)
    yield f"Prefect: {url.removesuffix('/api')}   logs: {FOLDER}"
    worker = running("worker")
    if worker is None:
        prefect("work-pool", "create", POOL, "--type", "process", "--overwrite")
    prefect("--no-prompt", "deploy", "--all")
    if worker is None:
        if count := reschedule(url):
            yield f"{count} runs that a kill had interrupted go on"
        name = worker_name(url)
        command = ["worker", "start", "--pool", POOL, "--name", name]
        launch("worker", command, ready=lambda: is_online(url, name))
    yield "Try: prefect deployment run 'retrain/nightly' --watch   Stop: make stop"
    yield "What a run did, or a dry run would do: prefect flow-run logs ID"


def stop() -> Iterator[str]:
    """Stop worker and server with all their processes."""
    for name in ("worker", "server"):
        process = running(name)
        if process is not None:
            end_all(process)
            yield f"{name} stopped"
        (FOLDER / f"{name}.pid").unlink(missing_ok=True)
    for _, root, process in run_processes():
        if root == str(ROOT):
            with suppress(psutil.NoSuchProcess):
                process.kill()  # its own processes end with it
            yield "a run without a worker stopped"


def end_all(process: psutil.Process) -> None:
    """End a program and all that it has started."""
    with suppress(psutil.NoSuchProcess):
        family = [*process.children(recursive=True), process]
        process.terminate()
        psutil.wait_procs([process], SECONDS_TO_STOP)
        for each in family:
            if each.is_running():
                each.kill()


def launch(name: str, command: Sequence[str], ready: Callable[[], bool]) -> None:
    """Start a program of Prefect's in the background, unless it runs; wait until it is ready.

    Raises ServeError if it ends before, or takes too long and is ended.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    log = FOLDER / f"{name}.log"
    if running(name) is None:
        begin(name, command, log)
    end = time.monotonic() + SECONDS_TO_START
    while not ready():
        process = running(name)
        if process is None or time.monotonic() > end:
            why = "ended" if process is None else f"did not answer within {SECONDS_TO_START:g} s"
            if process is not None:
                end_all(process)
            lines = log.read_text(errors="replace").splitlines()[-15:]
            raise ServeError("\n".join([f"Prefect's {name} {why}:", *lines]))
        time.sleep(0.3)


def begin(name: str, command: Sequence[str], log: Path) -> None:
    """Start a program of Prefect's in the background, and note its process."""
    with log.open("a") as file:
        process = subprocess.Popen(
            [*PREFECT, *command],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    identity = {"pid": process.pid, "created": psutil.Process(process.pid).create_time()}
    (FOLDER / f"{name}.pid").write_text(json.dumps(identity))


def running(name: str) -> psutil.Process | None:
    """Return the program that was launched under this name, if it still runs."""
    try:
        identity = json.loads((FOLDER / f"{name}.pid").read_text())
        process = psutil.Process(identity["pid"])
        same = process.create_time() == identity["created"] and process.status() != "zombie"
    except (OSError, ValueError, KeyError, psutil.Error):
        return None
    return process if same else None


def environment() -> Mapping[str, str]:
    """Return the environment of Prefect's programs, which the worker passes on to every run."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    # relative to ROOT: SQLAlchemy ends a path at its `?`, and has no way to escape one
    database = {} if os.environ.keys() & set(DATABASE) else {DATABASE[0]: SQLITE}
    return {
        **database,
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
    """Run a command of Prefect's. Raises ServeError with its output."""
    done = subprocess.run(
        [*PREFECT, *command],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ServeError(f"prefect {' '.join(command)} failed:\n{done.stdout}")


def main() -> None:
    """Start or stop."""
    action = {"start": start, "stop": stop}.get(" ".join(sys.argv[1:]))
    if action is None:
        sys.exit("usage: python -m pipelines.tools.serve start | stop")
    try:
        print("\n".join(action()) or "nothing was running")
    except ServeError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
