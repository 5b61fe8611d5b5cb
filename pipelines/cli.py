"""How every stage is started: `python -m pipelines.STAGE NAME ...` in the folder of dvc.yaml."""

import argparse
import logging
import os
import sys
from pathlib import Path

DASK = "S3VAE_DASK"
"""The address of a Dask scheduler that makes shards: what the option --address sets."""


def arguments(*names: str) -> tuple[str, ...]:
    """The stage's arguments by these names, with the log set up on standard error."""
    parsed = _parser(names).parse_args()
    return tuple(getattr(parsed, name) for name in names)


def _parser(names: tuple[str, ...]) -> argparse.ArgumentParser:
    followers = os.environ.get("RANK", "0") != "0"  # of a training in several processes
    logging.basicConfig(
        level=logging.WARNING if followers else logging.INFO,
        format="%(asctime)s %(message)s",
        datefmt="%H:%M:%S",
        stream=sys.stderr,
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)  # Prefect's client tells every request
    parser = argparse.ArgumentParser(prog=f"python -m pipelines.stages.{Path(sys.argv[0]).stem}")
    for name in names:
        parser.add_argument(name)
    return parser


def feature_arguments(*names: str) -> tuple[str, ...]:
    """The same for a stage whose shards may be made by a Dask cluster: --runner and --address.

    Under `dvc repro`, which gives no options, the variable `S3VAE_DASK` names the address.
    """
    parser = _parser(names)
    parser.add_argument(
        "--runner", choices=("threads", "dask"), help="who makes the shards; else by S3VAE_DASK"
    )
    parser.add_argument("--address", help="of the Dask scheduler: tcp://HOST:PORT")
    parsed = parser.parse_args()
    if parsed.runner == "threads":
        os.environ.pop(DASK, None)
    elif parsed.address:
        os.environ[DASK] = parsed.address
    elif parsed.runner == "dask" and not os.environ.get(DASK):
        parser.error(f"--runner dask needs --address tcp://HOST:PORT (or {DASK})")
    return tuple(getattr(parsed, name) for name in names)


def loader_workers() -> int:
    """How many processes read batches ahead of a training: `S3VAE_LOADERS`, by default none."""
    return int(os.environ.get("S3VAE_LOADERS", "0"))
