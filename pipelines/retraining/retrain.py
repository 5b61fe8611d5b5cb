"""The flow `retrain`: what changed is rebuilt by DVC, and a better model becomes the champion.

`prefect deployment run 'retrain/nightly'` after `make serve`; prefect.yaml says when it runs by
itself. Of what is stale DVC alone decides; this flow shows it, and decides on champions.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed

from pipelines.params import Chosen
from pipelines.retraining.changes import (
    BUSY,
    Changes,
    chosen_models,
    found_changes,
    make_good,
    note_made,
    spoilt_of,
    wait_for_dvc,
    wait_for_others,
)
from pipelines.retraining.gate import MARGIN
from pipelines.retraining.overrides import overridden
from pipelines.retraining.pending import is_unsettled, note_settled
from pipelines.runner import RETRAINING
from pipelines.tools.doctor import require_health
from pipelines.tools.process_group import guarded

if TYPE_CHECKING:
    from pipelines.retraining.promotion import Outcome

PROGRESS = re.compile(r"(?P<label>\w[\w .@-]*): (?P<done>\d+)/(?P<total>\d+) \w+")
"""What s3vae/progress.py says."""
KILLED = range(129, 193)
"""Exit codes of commands that a signal ended: 128 + its number."""
FAILED = re.compile(f"failed to run|failed to reproduce|{BUSY}")
"""What DVC says of a stage that failed, before it goes on with others."""
ENDED_BY_SIGNAL = re.compile(rf"(exited|ended) with (-\d+|{'|'.join(map(str, KILLED))})\b")
"""What DVC says when that happened to a stage, and we say when it happened to DVC."""


class RebuildError(RuntimeError):
    """DVC did not get to the end."""


class KilledError(RebuildError):
    """DVC or a stage was killed: tried again, training goes on from its checkpoint."""


@flow(name="retrain", persist_result=False)
def retrain(
    datasets: list[str] | None = None,
    methods: list[str] | None = None,
    overrides: dict[str, Any] | None = None,
    dry_run: bool = False,
    margin: float = MARGIN,
) -> State:
    """Rebuild what is stale of some data sets and methods (default: all), and judge the new models.

    `overrides` are settings by their dotted place in params.yaml, for this run only; with `dry_run`
    it is only said what would run. `margin`: see pipelines/retraining/gate.py.
    """
    log = get_run_logger()
    preflight()
    with overridden(overrides or {}):
        models = chosen_models(datasets, methods)
        changes = refresh(models, dry_run=dry_run)
        for line in changes.told():
            log.info(line)
        unsettled = [each for each in models if changes.makes(each) or is_unsettled(each)]
        if not changes.stale and not unsettled:
            return Completed(message="Nothing changed: no stage ran and no model was registered.")
        if dry_run:
            return Completed(message=f"Would run: {', '.join(changes.stale) or 'promotion only'}")
        faults = rebuilt(changes) if changes.stale else []
        # after a fault only what was evaluated for all that
        ready = [each for each in unsettled if not faults or is_unsettled(each)]
        outcomes, refused = promoted(ready, margin)
    summarize(outcomes)
    if len(faults := [*faults, *refused]) > 1:
        raise ExceptionGroup(f"{len(faults)} faults, and {len(outcomes)} models promoted", faults)
    if faults:
        raise faults[0]
    return Completed(message="; ".join(map(str, outcomes)) or "Rebuilt; no model was trained.")


def rebuilt(changes: Changes) -> list[Exception]:
    """What went wrong when all was rebuilt that could be: one data set does not stop another."""
    try:
        rebuild(changes)
    except RebuildError as error:
        return [error]
    return []


def promoted(models: Sequence[Chosen], margin: float) -> "tuple[list[Outcome], list[Exception]]":
    """What became of each model, and what went wrong with others."""
    outcomes, faults = [], []
    for each in models:
        try:
            outcomes.append(promote(each, margin))
        except Exception as error:
            get_run_logger().error("%s could not be promoted: %s", each.name, error)
            faults.append(error)
    return outcomes, faults


@task(cache_policy=NO_CACHE, persist_result=False)
def preflight() -> None:
    """Raise with all that is wrong here and how to mend it (`make doctor` shows the same)."""
    require_health()


@task(cache_policy=NO_CACHE, persist_result=False)
def refresh(models: Sequence[Chosen], *, dry_run: bool) -> Changes:
    """What is to be rebuilt: what DVC finds changed, new downloads, and what no longer is whole."""
    wait_for_others()
    spoilt = spoilt_of(models)
    for each in spoilt:
        get_run_logger().warning("%s: it is made again", each)
    if not dry_run:
        make_good(spoilt)
    return found_changes(models)


def was_killed(_task: Any, _run: Any, state: State) -> bool:
    """Whether it is worth trying again."""
    return isinstance(state.result(raise_on_failure=False), KilledError)


@task(
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=2,
    retry_delay_seconds=5,
    retry_condition_fn=was_killed,
)
def rebuild(changes: Changes) -> None:
    """`dvc repro` of what is asked for, its lines in this run's log, its progress as an artifact.

    Raises RebuildError with the last lines if DVC fails; one that was killed is tried again.
    """
    progress = ShownProgress()
    for dataset in changes.downloads:
        run_dvc(["repro", "--force", "--single-item", f"acquire@{dataset}"], progress)
        note_made(dataset)
    run_dvc(["repro", "--keep-going", *changes.targets], progress)


def run_dvc(arguments: Sequence[str], progress: "ShownProgress") -> None:
    """A command of DVC's, whose lines are this run's; it ends when this run does.

    Where a stage of another DVC is in the way it is given once more when that has ended.
    """
    while BUSY in " ".join(said := run_dvc_once(arguments, progress)):
        wait_for_dvc()
    if not said:
        return
    told = "\n".join(said)
    if any(map(ENDED_BY_SIGNAL.search, said)):
        raise KilledError(told)
    raise RebuildError(told)


def run_dvc_once(arguments: Sequence[str], progress: "ShownProgress") -> list[str]:
    """The command, how it ended, which stages failed and its last lines; nothing if all is well."""
    log, failed, last = get_run_logger(), list[str](), list[str]()
    # DVC and its stages are no part of the run that Prefect's own variables speak of
    environment = {key: said for key, said in os.environ.items() if "PREFECT__" not in key}
    environment[RETRAINING] = str(flow_run.id)
    command = ["dvc", "--wait-for-lock", *arguments]
    with guarded(command, Path(), environment) as running:
        assert running.stdout is not None  # piped
        for line in map(str.rstrip, running.stdout):
            if line:
                last = [*last, line][-20:]
                failed += [line] if FAILED.search(line) else []
                log.info(line)
                progress.hear(line)
        code = running.wait()
    return [f"{' '.join(command)} ended with {code}:", *failed, *last] if code != 0 else []


@task(cache_policy=NO_CACHE, persist_result=False)
def promote(chosen: Chosen, margin: float) -> "Outcome":
    """Register a new model, and make it champion or challenger."""
    from pipelines.retraining.promotion import settled  # torch takes seconds to import

    outcome = settled(chosen, margin)
    note_settled(chosen)
    return outcome


@task(cache_policy=NO_CACHE, persist_result=False)
def summarize(outcomes: "Sequence[Outcome]") -> None:
    """What became of each model, in the log and as artifacts."""
    from pipelines.retraining.prefect_artifacts import report

    for outcome in outcomes:
        get_run_logger().info("%s", outcome)
    report(outcomes)


class ShownProgress:
    """Prefect's progress artifact of the stage that runs."""

    def __init__(self) -> None:
        self._id: Any = None

    def hear(self, line: str) -> None:
        """Show what a line says, if it is one of progress."""
        said = PROGRESS.search(line)
        if said is None:
            return
        share = 100 * int(said["done"]) / max(int(said["total"]), 1)
        try:
            if self._id is None:
                self._id = create_progress_artifact(share, key="progress", description=said[0])
            else:
                update_progress_artifact(self._id, share, description=line)
        except Exception as error:  # the server may be gone for a while: what it shows can wait
            get_run_logger().warning("progress is not shown: %s", error)
