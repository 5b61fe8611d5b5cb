"""The number of cores, a parallel `map` over processes, and the main one of several trainers."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")

FEW = 128
"""Up to this many items, starting processes would take longer than the work."""
BLOCK, CHUNK = 128, 4
"""Items submitted before their results are consumed, and items per message to a process."""


def cores() -> int:
    """Return `S3VAE_WORKERS` if set, else the number of cores available to this process."""
    if workers := os.environ.get("S3VAE_WORKERS"):
        return int(workers)
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def is_main_process() -> bool:
    """Return whether this process logs and writes; torchrun numbers those that train together."""
    return os.environ.get("RANK", "0") == "0"


def in_processes(function: Callable[..., Result], *columns: Sequence[Any]) -> Iterator[Result]:
    """Map a function over columns of equal length, in order, like the built-in `map`.

    For pure Python, which threads do not speed up. At most one block of results is held in memory.
    The processes end when this one does, even if it is killed; joblib's outlive it.
    """
    workers, length = cores(), len(columns[0])
    if workers == 1 or length <= FEW:
        yield from map(function, *columns)
        return
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, spawn, initializer=_end_with_parent) as pool:
        for start in range(0, length, BLOCK):
            block = [column[start : start + BLOCK] for column in columns]
            yield from pool.map(function, *block, chunksize=CHUNK)


def _end_with_parent() -> None:
    """Watch the parent process in a thread, and exit when it ends: a pool's worker would not."""

    def watch() -> None:
        if (parent := multiprocessing.parent_process()) is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
