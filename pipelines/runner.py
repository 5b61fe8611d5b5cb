"""Runs a stage: as a Prefect flow where a server answers, as plain function calls elsewhere.

Of all that a stage imports only this file knows Prefect. Results and errors are the same either
way, and without a server Prefect is not even imported.
"""

import os
import threading
import tomllib
import urllib.request
import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, TypeVar

from pipelines.cli import DASK
from s3vae.processes import cores
from s3vae.progress import LOG, Progress

Item = TypeVar("Item")
Result = TypeVar("Result")

ROOT = Path(__file__).resolve().parents[1]
SECONDS_TO_ANSWER = 0.25
SECONDS_TO_CONNECT = 10
RETRAINING = "S3VAE_RETRAINING"
"""Set for DVC and its stages by the flow `retrain`: the id of its run."""


class ClusterError(RuntimeError):
    """The Dask cluster that was named cannot be worked with."""


def run_stage(stage: str, function: Callable[[], Result]) -> Result:
    """Calls the function: the body of a stage whose work is one piece (training, evaluation)."""
    return _as_flow(stage, function) if _prepare_prefect() else function()


def map_shards(
    stage: str,
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    workers: int | None = None,
    name: Callable[[Item], str] = str,
    unit: str = "shards",
    anywhere: bool = False,
) -> list[Result]:
    """The function's result for each item (a file, a shard), in the order of the items.

    At most `workers` items at a time (default: `S3VAE_WORKERS`, else the CPU cores). The first
    failure is raised as it is, when what has begun is done; what has not begun is cancelled. Work
    that may be done `anywhere` is done by a Dask cluster, if one is named (`dask_address`): its
    function is pickled, finds files by paths that are the same on every machine, and what has begun
    when another item fails may end later.
    """
    work = list(items)
    address = dask_address() if anywhere else None
    with Progress(stage, len(work), unit) as progress:
        in_flow = _prepare_prefect()
        if address is not None:
            spread = _map_in_dask_flow if in_flow else _map_in_dask
            return spread(stage, function, work, address, name, progress)
        counted = _counted(function, progress, name)
        apply = _map_in_flow if in_flow else _map_in_threads
        return apply(stage, counted, work, workers or cores(), name)


def dask_address() -> str | None:
    """Where the scheduler is that shards are handed to: `S3VAE_DASK`, or None for threads."""
    return os.environ.get(DASK) or None


def _counted(
    function: Callable[[Item], Result], progress: Progress, name: Callable[[Item], str]
) -> Callable[[Item], Result]:
    lock = threading.Lock()

    def counted(item: Item) -> Result:
        result = function(item)
        with lock:
            progress.advance(note=name(item))
        return result

    return counted


def _map_in_threads(
    _stage: str,
    function: Callable[[Item], Result],
    items: Sequence[Item],
    workers: int,
    _name: Callable[[Item], str],
) -> list[Result]:
    with ThreadPoolExecutor(workers) as pool:
        pending = [pool.submit(function, item) for item in items]
        try:
            for done in as_completed(pending):
                done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [done.result() for done in pending]


def _map_in_flow(
    stage: str,
    function: Callable[[Item], Result],
    items: Sequence[Item],
    workers: int,
    name: Callable[[Item], str],
) -> list[Result]:
    """A flow run of the stage's name, with a task run for each item, under the item's name."""
    from prefect.futures import as_completed as tasks_as_completed
    from prefect.task_runners import ThreadPoolTaskRunner

    def flow_body() -> list[Result]:
        pending = _task_runs(stage, function, items, name)
        for done in tasks_as_completed(pending):
            done.result()
        return [done.result() for done in pending]

    return _as_flow(stage, flow_body, ThreadPoolTaskRunner(max_workers=workers))


def _map_in_dask(
    stage: str,
    function: Callable[[Item], Result],
    items: Sequence[Item],
    address: str,
    name: Callable[[Item], str],
    progress: Progress,
) -> list[Result]:
    from distributed import as_completed as futures_as_completed

    with _cluster(address) as client:
        keys = [f"{stage}-{name(item)}-{uuid.uuid4().hex}" for item in items]
        pending = client.map(function, items, key=keys)
        named = dict(zip(pending, map(name, items), strict=True))
        try:
            for done in futures_as_completed(pending):  # type: ignore[no-untyped-call]
                done.result()
                progress.advance(note=named[done])
        except BaseException:
            client.cancel(pending)
            raise
        results: list[Result] = client.gather(pending)
        return results


def _map_in_dask_flow(
    stage: str,
    function: Callable[[Item], Result],
    items: Sequence[Item],
    address: str,
    name: Callable[[Item], str],
    progress: Progress,
) -> list[Result]:
    """As `_map_in_flow`, with the task runs on the cluster."""
    from prefect_dask.task_runners import DaskTaskRunner

    with _cluster(address):
        pass  # refused in words of ours where nothing answers

    def flow_body() -> list[Result]:
        pending = _task_runs(stage, function, items, name)
        results = []
        for item, done in zip(items, pending, strict=True):
            results.append(done.result())
            progress.advance(note=name(item))
        return results

    return _as_flow(stage, flow_body, DaskTaskRunner(address=address))


def _task_runs(
    stage: str,
    function: Callable[[Item], Result],
    items: Sequence[Item],
    name: Callable[[Item], str],
) -> list[Any]:
    """A task run for each item, under the item's name, handed to the runner of the flow."""
    from prefect import task
    from prefect.cache_policies import NO_CACHE

    shard = task(name=f"{stage}-shard", cache_policy=NO_CACHE, persist_result=False)(function)
    return [shard.with_options(task_run_name=_verbatim(name(item))).submit(item) for item in items]


def _cluster(address: str) -> Any:
    """A client of the scheduler there. Raises ClusterError if none answers or nobody works."""
    try:
        from distributed import Client
    except ImportError as error:
        msg = "Dask is not installed: pip install 's3vae[cluster]'"
        raise ClusterError(msg) from error
    try:
        client = Client(address, timeout=SECONDS_TO_CONNECT)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        msg = (
            f"no Dask scheduler answers at {address}: start one (`dask scheduler`), or leave "
            f"--address and {DASK} out"
        )
        raise ClusterError(msg) from error
    if not client.scheduler_info()["workers"]:
        client.close()  # type: ignore[no-untyped-call]
        msg = (
            f"the Dask scheduler at {address} has no workers: start some (`dask worker {address}`)"
        )
        raise ClusterError(msg)
    return client


def _verbatim(name: str) -> str:
    """Prefect fills in braces of a name, as str.format does."""
    return name.replace("{", "{{").replace("}", "}}")


def _as_flow(stage: str, function: Callable[[], Result], task_runner: Any = None) -> Result:
    """Calls the function as the body of a flow run: its result and its error come out unchanged.

    What is done is done, even if the server is gone by then and cannot be told.
    """
    from prefect import flow

    done: list[Result] = []

    def body() -> None:
        done.append(function())

    try:
        flow(name=stage, persist_result=False, task_runner=task_runner)(body)()
    except Exception as error:
        if not done:
            raise
        LOG.warning("%s is done, but Prefect's server was not told: %s", stage, error)
    return done[0]


def server() -> str | None:
    """The API of the Prefect server that answers, if one does."""
    url = server_url()
    return url if url is not None and _answers(url) else None


def _prepare_prefect() -> bool:
    """Whether a Prefect server answers; if so, Prefect is told of it, before it is imported."""
    url = server()
    if url is None:
        return False
    os.environ.setdefault("PREFECT_API_URL", url)
    os.environ.setdefault("PREFECT_HOME", str(ROOT / ".prefect"))
    os.environ.setdefault("PREFECT_LOGGING_EXTRA_LOGGERS", "s3vae")
    os.environ.setdefault("PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW", "ignore")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    return True


def server_url() -> str | None:
    """From `PREFECT_API_URL`, else prefect.toml, else the active profile in `.prefect`."""
    settings = _toml(ROOT / "prefect.toml")
    profiles = _toml(Path(os.environ.get("PREFECT_HOME", ROOT / ".prefect")) / "profiles.toml")
    active = profiles.get("profiles", {}).get(profiles.get("active", ""), {})
    return (
        os.environ.get("PREFECT_API_URL")
        or settings.get("api", {}).get("url")
        or active.get("PREFECT_API_URL")
    )


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _answers(url: str) -> bool:
    """Whether the API says that it is well: another program on its port does not."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=SECONDS_TO_ANSWER) as reply:
            return bool(reply.read(16).strip() == b"true")
    except (OSError, ValueError):
        return False
