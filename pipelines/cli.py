"""The command line of a stage: `python -m pipelines.stages.STAGE NAME ...` beside dvc.yaml."""

import argparse
import logging
import os
import sys
import traceback
from pathlib import Path
from types import TracebackType

from s3vae.processes import is_main_process

DASK = "S3VAE_DASK"
"""The variable with the address of a Dask scheduler for shards, which --address sets too."""


STATED = ValueError, OSError, RuntimeError, ImportError
"""The kinds of errors by which this project refuses its input."""


def arguments(*names: str) -> tuple[str, ...]:
    """Return the stage's arguments by these names, and set up the log on standard error."""
    parsed = _parser(names).parse_args()
    return tuple(getattr(parsed, name) for name in names)


def plain_errors() -> None:
    """Let an error that a `raise` of this project states end the process with its message alone.

    Other errors are faults of the code, and keep their traceback.
    """
    sys.excepthook = _report


def _report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    folders = [sys.modules[name].__path__[0] for name in ("pipelines", "s3vae")]
    stated = issubclass(kind, STATED) and any(
        Path(last.filename).is_relative_to(folder) and (last.line or "").startswith("raise")
        for last in traceback.extract_tb(trace)[-1:]
        for folder in folders
    )
    if stated:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
    else:
        sys.__excepthook__(kind, error, trace)


def _parser(names: tuple[str, ...]) -> argparse.ArgumentParser:
    logging.basicConfig(
        level=logging.INFO if is_main_process() else logging.WARNING,
        format="%(asctime)s %(message)s",
        datefmt="%H:%M:%S",
        stream=sys.stderr,
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)  # Prefect's client logs every request
    spec = sys.modules["__main__"].__spec__
    plain_errors()
    parser = argparse.ArgumentParser(prog=f"python -m {spec.name}" if spec else None)
    for name in names:
        parser.add_argument(name)
    return parser


def feature_arguments(*names: str) -> tuple[str, ...]:
    """Return the arguments of a stage that may compute its shards on a Dask cluster.

    It has the options --runner and --address too. `dvc repro` passes no options: there, the
    variable `S3VAE_DASK` holds the address.
    """
    parser = _parser(names)
    parser.add_argument(
        "--runner", choices=("threads", "dask"), help="default: dask if S3VAE_DASK is set"
    )
    parser.add_argument("--address", help="the Dask scheduler, tcp://HOST:PORT")
    parsed = parser.parse_args()
    if parsed.runner == "threads":
        os.environ.pop(DASK, None)
    elif parsed.address:
        os.environ[DASK] = parsed.address
    elif parsed.runner == "dask" and not os.environ.get(DASK):
        parser.error(f"--runner dask needs --address tcp://HOST:PORT (or {DASK})")
    return tuple(getattr(parsed, name) for name in names)


def loader_workers() -> int:
    """Return the number of processes that read batches in advance: `S3VAE_LOADERS`, else 0."""
    return int(os.environ.get("S3VAE_LOADERS", "0"))
