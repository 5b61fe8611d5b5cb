"""How many cores there are, and work spread over them."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")

FEW = 128
"""So many items are not worth the start of processes."""
AT_ONCE, AT_A_TIME = 128, 4
"""How many items are handed out before their results are taken, and how many to a process."""


def cores() -> int:
    """`S3VAE_WORKERS`, else how many cores this process may use."""
    if asked := os.environ.get("S3VAE_WORKERS"):
        return int(asked)
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def in_processes(function: Callable[..., Result], *columns: Sequence[Any]) -> Iterator[Result]:
    """As `map`: the function's results in order, the same at any number of cores.

    For pure Python, which threads do not speed up. Memory stays flat however slowly results are
    taken. The columns must be equally long. If this process is killed, those that it started end.
    """
    workers, length = cores(), len(columns[0])
    if workers == 1 or length <= FEW:
        yield from map(function, *columns)
        return
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, spawn, initializer=end_with_parent) as pool:
        for start in range(0, length, AT_ONCE):
            part = [column[start : start + AT_ONCE] for column in columns]
            yield from pool.map(function, *part, chunksize=AT_A_TIME)


def end_with_parent() -> None:
    """See to it that this process ends when the one that started it does, however that ends.

    The workers of a pool would wait for its next order for ever.
    """

    def watch() -> None:
        if (parent := multiprocessing.parent_process()) is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
