"""The work of a retraining: the models requested, their stale stages, results not yet promoted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.dag import Dag, dvc_status
from pipelines.io import write_text
from pipelines.params import PARAMS, Chosen, ParamsError, read_pipeline
from pipelines.paths import CHECKPOINTS, Layout
from s3vae.files import checksum_of


@dataclass(frozen=True)
class Changes:
    """The stale stages of the requested models."""

    targets: Sequence[str]
    """The stages to request from DVC, which adds their dependencies; all if empty."""
    stale: Sequence[str]
    """The stages that DVC will run, in order."""
    lines: Sequence[str]
    """What has changed, a line per stage that is itself changed."""

    def include(self, model: Chosen) -> bool:
        """Return whether the model will be trained or evaluated."""
        return bool({f"train@{model.name}", f"evaluate@{model.name}"} & set(self.stale))


def chosen_models(datasets: Sequence[str] | None, methods: Sequence[str] | None) -> list[Chosen]:
    """Return the models of params.yaml with these data sets and methods; None selects all.

    Raises ParamsError for a name that no model has, or if no model has one of each.
    """
    models = list(read_pipeline().models.values())
    chosen = [
        model
        for model in models
        if (datasets is None or model.dataset in datasets)
        and (methods is None or model.method in methods)
    ]
    unknown = set(datasets or ()) - {model.dataset for model in models}
    unknown |= set(methods or ()) - {model.method for model in models}
    if unknown or not chosen:
        absent = ", ".join(sorted(unknown)) or f"{methods} on {datasets}"
        names = ", ".join(model.name for model in models)
        raise ParamsError(f"{PARAMS}: pipeline.models has no {absent}, only {names}")
    return chosen


def find_changes(models: Sequence[Chosen]) -> Changes:
    """Return what DVC finds changed of these models and all that they depend on.

    Raises ParamsError, with DVC's message, if params.yaml and dvc.yaml do not fit together.
    """
    some = len(models) < len(read_pipeline().models)
    requested = [f"evaluate@{model.name}" for model in models] if some else []
    changed = dvc_status([*requested, "--with-deps"] if requested else ["dvc.yaml"])
    dag = Dag(Path())
    stale = dag.with_dependants(changed)
    if requested:
        needed = dag.with_dependencies(requested)
        stale = [stage for stage in stale if stage in needed]
    lines = [f"{stage}: {', '.join(_reasons(changes))}" for stage, changes in changed.items()]
    return Changes(requested, stale, lines)


def _reasons(changes: Sequence[Any]) -> Iterator[str]:
    """Format the changes of a stage: texts such as `changed command`, or states of paths."""
    for change in changes:
        if isinstance(change, str):
            yield change
            continue
        for kind, paths in change.items():
            for path, state in paths.items():
                verb = "changed" if kind == "changed params" else state
                yield f"{verb if isinstance(verb, str) else 'modified'} {path}"


def with_dependencies(models: Sequence[Chosen]) -> list[str]:
    """Return the stages of these models and all that they depend on."""
    return Dag(Path()).with_dependencies([f"evaluate@{model.name}" for model in models])


def is_pending(model: Chosen) -> bool:
    """Return whether a model has results that no run has promoted or refused yet.

    They come from a run that ended early, from `dvc repro` by hand or from `dvc pull`.
    """
    results, note = _results(model), _promoted(model)
    return bool(results) and not (note.exists() and note.read_text() == results)


def note_promoted(model: Chosen) -> None:
    """Note that the current results have passed the gate or were refused."""
    write_text(_promoted(model), _results(model))


def _promoted(model: Chosen) -> Path:
    return CHECKPOINTS / "promoted" / model.name


def _results(model: Chosen) -> str:
    """The checksums of the model's scores and their provenance; empty without results."""
    scores = Layout(model.dataset).scores(model.method)
    paths = (scores / "metrics.json", scores / "provenance-evaluate.json")
    if not all(path.exists() for path in paths):
        return ""
    return " ".join(map(checksum_of, paths))
