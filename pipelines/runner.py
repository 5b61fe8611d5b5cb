"""Run a stage: as a Prefect flow if a server answers, otherwise as plain function calls.

Of the modules that stages import, only this one uses Prefect and Dask, and it imports them where
they are needed. Results and errors are the same with and without them.
"""

import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from pipelines.cli import DASK
from pipelines.prefect_server import configure_prefect
from s3vae.processes import cores, is_main_process
from s3vae.progress import LOG, Progress

Item = TypeVar("Item")
Result = TypeVar("Result")
Pool = tuple[Callable[[str, Item], Any], Callable[[list[Any]], Iterable[Any]]]
"""Two functions: one submits a named item and returns a future, one yields finished futures."""

SECONDS_TO_CONNECT = 10
RETRAINING = "S3VAE_RETRAINING"
"""The variable in which the flow `retrain` passes the id of its run to DVC and its stages."""


class ClusterError(RuntimeError):
    """The Dask cluster cannot be used."""


def run_stage(stage: str, function: Callable[[], Result]) -> Result:
    """Call the body of a stage that is not divided into shards (training, evaluation).

    Of several processes that train together, only the main one runs as a flow.
    """
    return _as_flow(stage, function) if is_main_process() and configure_prefect() else function()


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
    failure is raised unchanged when the running items have finished; waiting items are cancelled.

    With `anywhere`, items run on the Dask cluster in `S3VAE_DASK`, if it is set. The function must
    then be picklable and use paths that are valid on all machines, and items may continue after a
    failure. Raises ClusterError if the cluster cannot be used.
    """
    work, in_flow = list(items), configure_prefect()
    address = (os.environ.get(DASK) or None) if anywhere else None

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
    """Submit items to a Dask cluster; closing its client cancels the futures."""
    with _cluster(address) as client:
        from distributed import as_completed as as_finished

        def submit(name: str, item: Item) -> Any:
            return client.submit(function, item, key=f"{stage}-{name}-{uuid.uuid4().hex}")

        yield submit, as_finished


@contextmanager
def _task_runs(stage: str, function: Callable[[Item], Result]) -> Iterator[Pool[Item]]:
    """Submit items as task runs of a flow, which cancels waiting ones when it fails."""
    from prefect import task
    from prefect.cache_policies import NO_CACHE
    from prefect.futures import as_completed as as_finished

    shard = task(name=f"{stage}-shard", cache_policy=NO_CACHE, persist_result=False)(function)

    def submit(name: str, item: Item) -> Any:
        escaped = name.replace("{", "{{").replace("}", "}}")  # Prefect applies str.format to names
        return shard.with_options(task_run_name=escaped).submit(item)

    yield submit, as_finished


def _task_runner(address: str | None, workers: int | None) -> Any:
    """Return Prefect's runner of tasks on threads, or on the Dask cluster at the address."""
    if address is None:
        from prefect.task_runners import ThreadPoolTaskRunner

        return ThreadPoolTaskRunner(max_workers=workers or cores())
    with _cluster(address):  # raises ClusterError where Prefect would raise an error of its own
        from prefect_dask.task_runners import DaskTaskRunner

        return DaskTaskRunner(address=address)


def _as_flow(stage: str, function: Callable[[], Result], task_runner: Any = None) -> Result:
    """Call the function as the body of a flow run; return its result or raise its error.

    If the server fails after the function has returned, only a warning is logged.
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
            f"no Dask scheduler answers at {address}: start one (`dask scheduler`), or omit "
            f"--address and {DASK}"
        )
        raise ClusterError(msg) from error
    if not client.scheduler_info()["workers"]:
        client.close()  # type: ignore[no-untyped-call]
        msg = (
            f"the Dask scheduler at {address} has no workers: start some (`dask worker {address}`)"
        )
        raise ClusterError(msg)
    return client
