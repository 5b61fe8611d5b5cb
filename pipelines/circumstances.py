"""Under which circumstances a training ran: on which commit, how long, on how many threads.

The only results that differ from run to run.
"""

import subprocess
from pathlib import Path
from typing import NamedTuple

from pipelines.written import write_json

NOT_RESULTS = (":(top)", ":(top,exclude,glob)**/results/**", ":(top,exclude,glob)**/dvc.lock")
"""Git's words for all files but those that stages rewrite while the pipeline runs."""


class Code(NamedTuple):
    """What code runs."""

    commit: str
    """The one that is checked out; nothing where there is no git or no repository."""
    changed: bool
    """Whether files that are no results differ from it."""


def code_that_runs() -> Code:
    """To be asked at a training's begin: another commit may be checked out before its end."""
    commit = git("rev-parse", "HEAD")
    status = ("status", "--porcelain", "--untracked-files=no", "--", *NOT_RESULTS)
    return Code(commit, bool(commit and git(*status)))


def write_circumstances(folder: Path, code: Code, steps: int, seconds: float, threads: int) -> None:
    """Note them as circumstances.json beside the results."""
    taken = {"steps": steps, "seconds": round(seconds, 1), "threads": threads}
    write_json(folder / "circumstances.json", {**code._asdict(), **taken})


def git(*arguments: str) -> str:
    """What git answers about the current folder; nothing where there is no git or no repository."""
    try:
        done = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
