"""The checksums of files that stages have read and written, and the locks of running stages."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil

from pipelines.io import read_yaml
from pipelines.params import Chosen
from pipelines.paths import Layout

LOCK, STAGE_LOCKS = Path("dvc.lock"), Path(".dvc/tmp/rwlock")
Stages = Mapping[str, Mapping[str, Any]]


def stages(folder: Path) -> Stages:
    """Return the `deps`, `outs` and `params` of every stage that has run in a pipeline."""
    lock = folder / LOCK
    content: Stages = read_yaml(lock)["stages"] if lock.exists() else {}
    return content


def md5(stage: Mapping[str, Any], kind: str, path: Path) -> str | None:
    """Return the checksum of a file or folder among a stage's `deps` or `outs`."""
    checksums = {each["path"]: each["md5"] for each in stage.get(kind, ())}
    return checksums.get(path.as_posix())


def judged_by_the_judge(of: Stages, chosen: Chosen) -> bool:
    """Return whether a model was evaluated by the current judge of its data set."""
    judge = Layout(chosen.dataset).judge
    used = md5(of.get(f"evaluate@{chosen.name}", {}), "deps", judge)
    return used is not None and used == md5(of.get(f"judge@{chosen.dataset}", {}), "outs", judge)


def measured_on(of: Stages, chosen: Chosen) -> str:
    """Return the checksums of clips and judge, and the evaluation's settings, as one text."""
    stage, files = of.get(f"evaluate@{chosen.name}", {}), Layout(chosen.dataset)
    inputs = [md5(stage, "deps", path) for path in (files.clips, files.judge)]
    return json.dumps([*inputs, stage.get("params")], sort_keys=True)


def at_work(folder: Path) -> Iterator[str]:
    """Yield the DVC processes that run a stage in a repository, from the locks of their files."""
    locks = folder / STAGE_LOCKS
    if not locks.exists():
        return
    for locks_of_file in json.loads(locks.read_text() or "{}").values():
        for holders in locks_of_file.values():
            for holder in holders if isinstance(holders, list) else [holders]:
                if psutil.pid_exists(holder["pid"]):
                    yield f"process {holder['pid']}"
