"""dvc.lock: which bytes the stages have read and left; and who is running them."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
from ruamel.yaml import YAML

from pipelines.params import Chosen
from pipelines.paths import Layout

LOCK, STAGE_LOCKS = Path("dvc.lock"), Path(".dvc/tmp/rwlock")
Stages = Mapping[str, Mapping[str, Any]]


def stages(folder: Path) -> Stages:
    """What every stage of a pipeline has read (`deps`) and left (`outs`); none if none has run."""
    lock = folder / LOCK
    found: Stages = YAML(typ="safe").load(lock)["stages"] if lock.exists() else {}
    return found


def md5(stage: Mapping[str, Any], kind: str, path: Path) -> str | None:
    """Of a file or folder among a stage's `deps` or `outs`."""
    named = {each["path"]: each["md5"] for each in stage.get(kind, ())}
    return named.get(path.as_posix())


def judged_by_the_judge(of: Stages, chosen: Chosen) -> bool:
    """Whether it was evaluated by the judge of its data set as that is now, and not by another."""
    judge = Layout(chosen.dataset).judge
    asked = md5(of.get(f"evaluate@{chosen.name}", {}), "deps", judge)
    return asked is not None and asked == md5(of.get(f"judge@{chosen.dataset}", {}), "outs", judge)


def measured_on(of: Stages, chosen: Chosen) -> str:
    """What scores depend on besides the model: the clips, the judge, the evaluation's settings."""
    stage, files = of.get(f"evaluate@{chosen.name}", {}), Layout(chosen.dataset)
    read = [md5(stage, "deps", path) for path in (files.clips, files.judge)]
    return json.dumps([*read, stage.get("params")], sort_keys=True)


def at_work(folder: Path) -> Iterator[str]:
    """The processes of DVC that run a stage in a repository: they lock no more than its files."""
    locks = folder / STAGE_LOCKS
    if not locks.exists():
        return
    for held in json.loads(locks.read_text() or "{}").values():
        for holders in held.values():
            for holder in holders if isinstance(holders, list) else [holders]:
                if psutil.pid_exists(holder["pid"]):
                    yield f"process {holder['pid']}"
