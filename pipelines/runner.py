"""Run a stage: as a Prefect flow where a server answers, as plain function calls elsewhere.

Only this module of all that a stage imports knows Prefect and Dask. Results and errors are the
same with and without them, and each is imported only where it is used.
"""

import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from pipelines.cli import DASK
from pipelines.prefect_server import configure_prefect
from s3vae.processes import cores
from s3vae.progress import LOG, Progress

Item = TypeVar("Item")
Result = TypeVar("Result")
Pool = tuple[Callable[[str, Item], Any], Callable[[list[Any]], Iterable[Any]]]
"""Submits an item under its name and returns a future; yields futures as they finish."""

SECONDS_TO_CONNECT = 10
RETRAINING = "S3VAE_RETRAINING"
"""Set for DVC and its stages by the flow `retrain`: the id of its run."""


class ClusterError(RuntimeError):
    """The Dask cluster cannot be used."""


def run_stage(stage: str, function: Callable[[], Result]) -> Result:
    """Call the body of a stage whose work is one piece (training, evaluation)."""
    return _as_flow(stage, function) if configure_prefect() else function()


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
    """Return the function's result for each item (a file, a shard), in the order of the items.

    At most `workers` items run at a time (default: `S3VAE_WORKERS`, else the CPU cores). The first
    failure is raised unchanged as soon as running items have finished; waiting items are cancelled.
    With `anywhere` the items run on a Dask cluster, if `S3VAE_DASK` names one: the function must
    then pickle and use paths that are valid on every machine, and running items may outlast a
    failure. Raises ClusterError if the cluster cannot be used.
    """
    work, in_flow = list(items), configure_prefect()
    address = dask_address() if anywhere else None

    def pool() -> AbstractContextManager[Pool[Item]]:
        if in_flow:
            return _task_runs(stage, function)
        if address is not None:
            return _on_cluster(stage, function, address)
        return _in_threads(function, workers or cores())

    def body() -> list[Result]:  # pickled with each of Prefect's task runs, hence no open pool
        with Progress(stage, len(work), unit) as progress, pool() as (submit, as_finished):
            names = {submit(name(item), item): name(item) for item in work}
            for future in as_finished(list(names)):
                future.result()
                progress.advance(note=names[future])
            return [future.result() for future in names]

    return _as_flow(stage, body, _task_runner(address, workers)) if in_flow else body()


def dask_address() -> str | None:
    """Return the address of the Dask scheduler from `S3VAE_DASK`, or None for threads."""
    return os.environ.get(DASK) or None


@contextmanager
def _in_threads(function: Callable[[Item], Result], workers: int) -> Iterator[Pool[Item]]:
    with ThreadPoolExecutor(workers) as pool:
        try:
            yield lambda _, item: pool.submit(function, item), as_completed
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextmanager
def _on_cluster(
    stage: str, function: Callable[[Item], Result], address: str
) -> Iterator[Pool[Item]]:
    """Work on a Dask cluster; the futures are cancelled when its client closes."""
    with _cluster(address) as client:
        from distributed import as_completed as as_finished

        def submit(name: str, item: Item) -> Any:
            return client.submit(function, item, key=f"{stage}-{name}-{uuid.uuid4().hex}")

        yield submit, as_finished


@contextmanager
def _task_runs(stage: str, function: Callable[[Item], Result]) -> Iterator[Pool[Item]]:
    """Work within a flow run, whose task runner cancels what is waiting when the flow fails."""
    from prefect import task
    from prefect.cache_policies import NO_CACHE
    from prefect.futures import as_completed as as_finished

    shard = task(name=f"{stage}-shard", cache_policy=NO_CACHE, persist_result=False)(function)

    def submit(name: str, item: Item) -> Any:
        return shard.with_options(task_run_name=_escape_braces(name)).submit(item)

    yield submit, as_finished


def _task_runner(address: str | None, workers: int | None) -> Any:
    """Return Prefect's runner of tasks on threads, or on the Dask cluster at the address."""
    if address is None:
        from prefect.task_runners import ThreadPoolTaskRunner

        return ThreadPoolTaskRunner(max_workers=workers or cores())
    with _cluster(address):  # raises ClusterError where Prefect would raise an error of its own
        from prefect_dask.task_runners import DaskTaskRunner

        return DaskTaskRunner(address=address)


def _escape_braces(name: str) -> str:
    """Double the braces of a name, which Prefect formats as str.format does."""
    return name.replace("{", "{{").replace("}", "}}")


def _as_flow(stage: str, function: Callable[[], Result], task_runner: Any = None) -> Result:
    """Call the function as the body of a flow run; its result and its error come out unchanged.

    If the server stops answering after the function has returned, only a warning is logged.
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
        LOG.warning("%s is done, but Prefect's server could not record it: %s", stage, error)
    return done[0]


def _cluster(address: str) -> Any:
    """Return a client of the scheduler. Raises ClusterError without a scheduler or workers."""
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
