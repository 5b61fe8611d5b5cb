"""What a training leaves beside its model: its history, and its environment.

The environment is the commit, the duration and the number of threads: the only results that
differ from run to run.
"""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pipelines.io import write_csv, write_json

PIPELINE = ("dvc.yaml", "params.yaml")
CODE = ("s3vae", "pipelines", "configs", *PIPELINE, *(f"benchmark/{name}" for name in PIPELINE))
"""The files that determine a training beside its data; results and documents do not."""


class Code(NamedTuple):
    """The version of the code that runs."""

    commit: str
    """The commit that is checked out; empty without git or a repository."""
    changed: bool
    """Whether the code differs from the commit, or git could not tell."""


def running_code() -> Code:
    """Return the version at the start of a training; another may be checked out before its end."""
    commit = git("rev-parse", "HEAD")
    if not commit:
        return Code("", changed=False)
    changes = git("status", "--porcelain", "--", *(f":(top){path}" for path in CODE))
    return Code(commit, changed=changes != "")


def write_training(
    folder: Path,
    history: Sequence[Mapping[str, float]],
    code: Code,
    seconds: float,
    threads: int,
) -> None:
    """Write history.csv and environment.json."""
    write_csv(folder / "history.csv", history)
    steps = int(history[-1]["step"]) if history else 0
    cost = {"steps": steps, "seconds": round(seconds, 1), "threads": threads}
    write_json(folder / "environment.json", {**code._asdict(), **cost})


def git(*arguments: str) -> str | None:
    """Return the output of git in the current folder; None without git or a repository."""
    try:
        done = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
