"""How every stage is started: `python -m pipelines.STAGE NAME ...` in the folder of dvc.yaml."""

import argparse
import logging
import os
import sys
from pathlib import Path


def arguments(*names: str) -> tuple[str, ...]:
    """The stage's arguments by these names, with the log set up on standard error."""
    followers = os.environ.get("RANK", "0") != "0"  # of a training in several processes
    logging.basicConfig(
        level=logging.WARNING if followers else logging.INFO,
        format="%(asctime)s %(message)s",
        datefmt="%H:%M:%S",
        stream=sys.stderr,
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)  # Prefect's client tells every request
    parser = argparse.ArgumentParser(prog=f"python -m pipelines.{Path(sys.argv[0]).stem}")
    for name in names:
        parser.add_argument(name)
    parsed = parser.parse_args()
    return tuple(getattr(parsed, name) for name in names)


def loader_workers() -> int:
    """How many processes read batches ahead of a training: `S3VAE_LOADERS`, by default none."""
    return int(os.environ.get("S3VAE_LOADERS", "0"))
