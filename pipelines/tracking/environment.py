"""Under which circumstances a training ran: on which commit, how long, on how many threads.

The only results that differ from run to run.
"""

import subprocess
from pathlib import Path
from typing import NamedTuple

from pipelines.io import write_json

PIPELINE = ("dvc.yaml", "params.yaml")
CODE = ("s3vae", "pipelines", *PIPELINE, *(f"benchmark/{name}" for name in PIPELINE))
"""What decides a training beside its data; results and documents do not."""


class Code(NamedTuple):
    """What code runs."""

    commit: str
    """The one that is checked out; nothing where there is no git or no repository."""
    changed: bool
    """Whether the code differs from it, or what git says of that could not be had."""


def code_that_runs() -> Code:
    """To be asked at a training's begin: another commit may be checked out before its end."""
    commit = git("rev-parse", "HEAD")
    if not commit:
        return Code("", changed=False)
    changes = git("status", "--porcelain", "--", *(f":(top){path}" for path in CODE))
    return Code(commit, changed=changes != "")


def write_circumstances(folder: Path, code: Code, steps: int, seconds: float, threads: int) -> None:
    """Note them as circumstances.json beside the results."""
    taken = {"steps": steps, "seconds": round(seconds, 1), "threads": threads}
    write_json(folder / "circumstances.json", {**code._asdict(), **taken})


def git(*arguments: str) -> str | None:
    """What git answers about the current folder; None where there is no git or no repository."""
    try:
        done = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
