"""The stages of a dvc.yaml, their dependencies and their state, as computed by DVC."""

import json
import subprocess
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from pipelines.checks import check_settings
from pipelines.dvc_lock import at_work
from pipelines.params import PARAMS, ParamsError
from s3vae.progress import LOG

BUSY = "is busy, it is being blocked by"
"""DVC's message for a file that is in use by a stage of another DVC process."""
SECONDS_BETWEEN_CHECKS = 15.0


class Dag:
    """The graph of the stages in the dvc.yaml of a folder. Stages have the names that DVC uses.

    Raises ParamsError if params.yaml and dvc.yaml do not fit together: with the remedy if it is
    known, else with DVC's message.
    """

    def __init__(self, folder: Path) -> None:
        from dvc.exceptions import DvcException  # DVC takes a second to import
        from dvc.repo import Repo
        from dvc.repo.index import Index

        try:
            with Repo(str(folder)) as repo:
                index = Index.from_file(repo, str(folder.resolve() / "dvc.yaml"))
                self._graph = index.graph
        except DvcException as error:
            check_settings(folder)
            raise ParamsError(f"DVC cannot read dvc.yaml with {PARAMS}: {error}") from error
        self._stages = {stage.name: stage for stage in index.stages}

    def command(self, stage: str) -> str:
        """Return the command of a stage."""
        return str(self._stages[stage].cmd)

    def with_dependants(self, stages: Collection[str]) -> list[str]:
        """Return these stages and all that depend on them, in an order in which they can run."""
        return self._plan(stages, downstream=True)

    def with_dependencies(self, stages: Collection[str]) -> list[str]:
        """Return these stages and all that they depend on, in an order in which they can run."""
        return self._plan(stages, downstream=False)

    def _plan(self, stages: Collection[str], *, downstream: bool) -> list[str]:
        from dvc.repo.reproduce import plan_repro

        sources: list[Any] = [self._stages[name] for name in self._stages if name in stages]
        if not sources:  # DVC would plan all stages
            return []
        return [stage.name for stage in plan_repro(self._graph, sources, downstream=downstream)]


def dvc_status(arguments: Sequence[str]) -> dict[str, Any]:
    """Return the changed stages among these targets with `dvc status`'s descriptions."""
    command = ["dvc", "--wait-for-lock", "status", "--json", *arguments]
    while True:
        status = subprocess.run(command, capture_output=True, text=True, check=False)
        if BUSY not in status.stderr:
            break
        wait_for_dvc()
    if status.returncode != 0:
        raise ParamsError(f"DVC cannot read dvc.yaml with {PARAMS}: {status.stderr.strip()}")
    return {name.rsplit(":", 1)[-1]: each for name, each in json.loads(status.stdout).items()}


def wait_for_others(folder: Path) -> None:
    """Wait until no other DVC process runs a stage here; dvc.lock is incomplete until then."""
    while any(at_work(folder)):
        wait_for_dvc()


def wait_for_dvc() -> None:
    """Log and sleep between two checks for other DVC processes; DVC itself does not wait."""
    LOG.warning("another DVC process runs a stage here: waiting for it to end")
    time.sleep(SECONDS_BETWEEN_CHECKS)
