"""The flow `retrain`: DVC rebuilds what has changed, and a better model becomes the champion.

`prefect deployment run 'retrain/nightly'` after `make serve`; prefect.yaml holds the schedule. DVC
alone decides what is stale; this flow shows it, and decides on champions.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed

from pipelines.dag import BUSY, wait_for_dvc, wait_for_others
from pipelines.params import Chosen
from pipelines.retraining.changes import (
    Changes,
    chosen_models,
    find_changes,
    is_pending,
    note_promoted,
    with_dependencies,
)
from pipelines.retraining.gate import MARGIN
from pipelines.retraining.outputs import corrupted_outputs, restore
from pipelines.retraining.prefect_artifacts import ProgressArtifact, report
from pipelines.runner import RETRAINING
from pipelines.tools.doctor import require_health
from pipelines.tools.process_group import process_group

if TYPE_CHECKING:
    from pipelines.retraining.promotion import Outcome

FAILED = re.compile(f"failed to run|failed to reproduce|{BUSY}")
"""DVC's messages about a failed stage, after which it goes on with others."""
ENDED_BY_SIGNAL = re.compile(r"(exited|ended) with (-\d+|129|1[3-8]\d|19[0-2])\b")
"""DVC's message about a stage ended by a signal, and ours about DVC: exit codes 129 to 192."""
LAST_LINES = 20


class RebuildError(RuntimeError):
    """DVC or one of its stages failed."""


class KilledError(RebuildError):
    """DVC or a stage was killed. After a retry a training goes on from its checkpoint."""


@flow(name="retrain", persist_result=False)
def retrain(
    datasets: list[str] | None = None,
    methods: list[str] | None = None,
    dry_run: bool = False,
    margin: float = MARGIN,
) -> State:
    """Rebuild what is stale of some data sets and methods (default: all); compare the new models.

    `dry_run` only reports what would run. `margin`: see pipelines/retraining/gate.py. To try other
    settings in a copy of the repository: `dvc exp run --temp -S` (docs/pipeline.md).
    """
    preflight()
    models = chosen_models(datasets, methods)
    changes = refresh(models, dry_run=dry_run)
    for line in changes.lines:
        get_run_logger().info(line)
    pending = [model for model in models if changes.include(model) or is_pending(model)]
    if not changes.stale and not pending:
        return Completed(message="Nothing changed: no stage ran and no model was registered.")
    if dry_run:
        return Completed(message=f"Would run: {', '.join(changes.stale) or 'promotion only'}")
    errors: list[Exception] = []
    if changes.stale:
        try:
            rebuild(changes)
        except RebuildError as error:  # other data sets may have been rebuilt
            errors.append(error)
            pending = [model for model in pending if is_pending(model)]
    outcomes = promote_all(pending, margin, errors)
    summarize(outcomes)
    if errors:
        raise ExceptionGroup("\n".join(map(str, errors)), errors)
    return Completed(message="; ".join(map(str, outcomes)) or "Rebuilt; no model was trained.")


@task(cache_policy=NO_CACHE, persist_result=False)
def preflight() -> None:
    """Raise an error that names all faults of the installation (`make doctor` shows the same)."""
    require_health()


@task(cache_policy=NO_CACHE, persist_result=False)
def refresh(models: Sequence[Chosen], *, dry_run: bool) -> Changes:
    """Find stale stages and corrupted outputs, and remove the latter."""
    wait_for_others(Path())
    corrupted = corrupted_outputs(with_dependencies(models))
    for each in corrupted:
        get_run_logger().warning("%s: it is restored or made again", each)
    if not dry_run:
        restore(corrupted)
    return find_changes(models)


def was_killed(_task: Any, _run: Any, state: State) -> bool:
    """Return whether a retry makes sense."""
    return isinstance(state.result(raise_on_failure=False), KilledError)


@task(
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=2,
    retry_delay_seconds=5,
    retry_condition_fn=was_killed,
)
def rebuild(changes: Changes) -> None:
    """Run `dvc repro`, its lines in this run's log and its progress as an artifact.

    Raises RebuildError with the last lines if DVC fails. A run that was killed is retried.
    """
    progress = ProgressArtifact()
    run_dvc(["repro", "--keep-going", *changes.targets], progress)


def run_dvc(arguments: Sequence[str], progress: ProgressArtifact) -> None:
    """Run a command of DVC that ends when this run does; repeat it while another DVC blocks it."""
    while (error := run_dvc_once(arguments, progress)) and BUSY in error:
        wait_for_dvc()
    if error:
        raise (KilledError if ENDED_BY_SIGNAL.search(error) else RebuildError)(error)


def run_dvc_once(arguments: Sequence[str], progress: ProgressArtifact) -> str:
    """Run the command; return its exit code, failed stages and last lines, or "" if it succeeds."""
    failed, last = list[str](), list[str]()
    # Prefect's variables for this run do not apply to DVC and its stages
    environment = {key: value for key, value in os.environ.items() if "PREFECT__" not in key}
    environment[RETRAINING] = str(flow_run.id)
    command = ["dvc", "--wait-for-lock", *arguments]
    with process_group(command, environment) as running:
        assert running.stdout is not None  # a pipe
        for line in filter(None, map(str.rstrip, running.stdout)):
            last = [*last, line][-LAST_LINES:]
            failed += [line] if FAILED.search(line) else []
            get_run_logger().info(line)
            progress.update(line)
        code = running.wait()
    return "\n".join([f"{' '.join(command)} ended with {code}:", *failed, *last]) if code else ""


def promote_all(
    models: Sequence[Chosen], margin: float, errors: list[Exception]
) -> "list[Outcome]":
    """Promote each model; the errors of some do not stop others and are appended."""
    outcomes = []
    for model in models:
        try:
            outcomes.append(promote(model, margin))
        except Exception as error:
            get_run_logger().error("%s could not be promoted: %s", model.name, error)
            errors.append(error)
    return outcomes


@task(cache_policy=NO_CACHE, persist_result=False)
def promote(model: Chosen, margin: float) -> "Outcome":
    """Register a new model as champion or challenger."""
    from pipelines.retraining.promotion import register_and_compare  # imports torch

    outcome = register_and_compare(model, margin)
    note_promoted(model)
    return outcome


@task(cache_policy=NO_CACHE, persist_result=False)
def summarize(outcomes: "Sequence[Outcome]") -> None:
    """Show the outcome of each model in the log and as artifacts."""
    for outcome in outcomes:
        get_run_logger().info("%s", outcome)
    report(outcomes)
