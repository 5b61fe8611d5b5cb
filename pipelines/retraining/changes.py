"""What there is to rebuild: which models are asked for, what DVC finds changed, and why."""

import json
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.dvc_lock import at_work, stages
from pipelines.io import write_text
from pipelines.params import PARAMS, Chosen, ParamsError, read_pipeline, section
from pipelines.paths import CHECKPOINTS, RAW, Layout
from pipelines.retraining.outputs import Spoilt, remove, spoilt_outputs
from pipelines.tools.remaining import with_dependants
from s3vae.data.datasets import DataSet
from s3vae.progress import LOG

HERE = Path()
BUSY = "is busy, it is being blocked by"
"""What DVC says of a file that a stage of another DVC reads or writes."""
SECONDS_BETWEEN_LOOKS = 15.0


@dataclass(frozen=True)
class Changes:
    """What is stale of what is asked for."""

    targets: Sequence[str]
    """The stages that DVC is asked for; their dependencies come with them."""
    stale: Sequence[str] = ()
    """The stages that DVC will run, in order."""
    reasons: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What is changed, by stage."""
    downloads: Sequence[str] = ()
    """Data sets of which something was downloaded since their clips were made."""

    def told(self) -> Iterator[str]:
        """A line for every stage with changes."""
        for stage, reasons in self.reasons.items():
            yield f"{stage}: {', '.join(reasons)}"
        for dataset in self.downloads:
            yield f"acquire@{dataset}: downloads are newer than its clips"

    def makes(self, model: Chosen) -> bool:
        """Whether the model will be trained or evaluated."""
        name = model.name
        return bool({f"train@{name}", f"evaluate@{name}"} & set(self.stale))


def wait_for_others() -> None:
    """Until no other DVC runs a stage here: what that has left is not yet what dvc.lock says."""
    while any(at_work(HERE)):
        wait_for_dvc()


def wait_for_dvc() -> None:
    """A while, for a stage that another DVC runs, whose locks DVC itself does not wait for."""
    LOG.warning("another DVC runs a stage here: waiting for it to end")
    time.sleep(SECONDS_BETWEEN_LOOKS)


def chosen_models(datasets: Sequence[str] | None, methods: Sequence[str] | None) -> list[Chosen]:
    """The models of params.yaml that are of these data sets and methods, all if None.

    Raises ParamsError for a name that no model has, or if no model has one of each.
    """
    models = read_pipeline().models.values()
    for kind, asked, known in (
        ("data set", datasets, {model.dataset for model in models}),
        ("method", methods, {model.method for model in models}),
    ):
        if unknown := set(asked or ()) - known:
            msg = (
                f"{PARAMS}: pipeline.models has no {kind} {', '.join(sorted(unknown))}, "
                f"only {', '.join(sorted(known))}"
            )
            raise ParamsError(msg)
    chosen = [
        model
        for model in models
        if (datasets is None or model.dataset in datasets)
        and (methods is None or model.method in methods)
    ]
    if not chosen:
        msg = f"{PARAMS}: pipeline.models has no {methods} on {datasets}, only " + ", ".join(
            model.name for model in models
        )
        raise ParamsError(msg)
    return chosen


def targets(models: Sequence[Chosen]) -> list[str]:
    """The last stages of these models; of all models the whole pipeline, which is no target."""
    if len(models) == len(read_pipeline().models):
        return []
    return [f"evaluate@{model.name}" for model in models]


def found_changes(models: Sequence[Chosen]) -> Changes:
    """What DVC finds changed of these models and all that they depend on.

    Raises ParamsError, with what DVC says, if params.yaml and dvc.yaml do not go together.
    """
    asked = targets(models)
    # by itself DVC would look at the benchmark too, whose models may have the same names
    of = [*asked, "--with-deps"] if asked else ["dvc.yaml"]
    command = ["dvc", "--wait-for-lock", "status", "--json", *of]
    while True:
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if BUSY not in answer.stderr:
            break
        wait_for_dvc()
    if answer.returncode != 0:
        raise ParamsError(f"DVC cannot read dvc.yaml with {PARAMS}: {answer.stderr.strip()}")
    changed = {name.rsplit(":", 1)[-1]: told for name, told in json.loads(answer.stdout).items()}
    downloads = new_downloads(sorted({model.dataset for model in models}))
    begun = [*changed, *(f"acquire@{dataset}" for dataset in downloads)]
    stale = with_dependants(begun, read_pipeline())
    return Changes(
        targets=asked,
        stale=[stage for stage in stale if not asked or wanted(stage, models)],
        reasons={stage: list(_reasons(told)) for stage, told in changed.items()},
        downloads=downloads,
    )


def wanted(stage: str, models: Sequence[Chosen]) -> bool:
    """Whether one of these models is, or depends on, what the stage leaves."""
    name = stage.partition("@")[2]
    return any(name in (model.dataset, model.name) for model in models)


def _reasons(told: Sequence[object]) -> Iterator[str]:
    """DVC's own words: `changed deps`, and of each what it is."""
    for each in told:
        if not isinstance(each, dict):
            yield str(each)
            continue
        for kind, paths in each.items():
            for path, state in paths.items():
                said = state if isinstance(state, str) else "modified"
                yield f"{said} {path}" if kind != "changed params" else f"changed {path}"


def new_downloads(datasets: Sequence[str]) -> list[str]:
    """Data sets with a raw file that is newer than the clips which are there."""
    return [name for name in datasets if _is_newer(name)]


def _is_newer(dataset: str) -> bool:
    clips, noted = Layout(dataset).clips, _made_of(dataset)
    if not clips.exists():
        return False
    made_of = float(noted.read_text()) if noted.exists() else 0.0
    return newest_download(dataset) > max(clips.stat().st_mtime, made_of)


def newest_download(dataset: str) -> float:
    """When the newest of its raw files was written."""
    asked: Any = section(DataSet, dataset, "data")  # type: ignore[arg-type]
    raw = [RAW / file.path for file in asked.files]
    return max((path.stat().st_mtime for path in raw if path.exists()), default=0.0)


def note_made(dataset: str) -> None:
    """Note that its clips were made again from what is downloaded.

    If they have become the same, DVC may link them to its old copy, with the old time.
    """
    write_text(_made_of(dataset), repr(newest_download(dataset)))


def _made_of(dataset: str) -> Path:
    return CHECKPOINTS / "made-of" / dataset


def spoilt_of(models: Sequence[Chosen]) -> list[Spoilt]:
    """What no longer holds what was written, of these models and all that they depend on."""
    pipeline = read_pipeline()
    every = with_dependants([f"acquire@{name}" for name in pipeline.datasets], pipeline)
    return spoilt_outputs(HERE, [stage for stage in every if wanted(stage, models)])


def make_good(found: Sequence[Spoilt]) -> None:
    """Take spoilt files away, so that DVC finds them missing.

    Where only its own copy is spoilt, the good file goes into the cache again.
    """
    for each in found:
        remove(each)
    lost = {each.stage for each in found if not each.cached}
    known = stages(HERE)
    for stage in sorted({each.stage for each in found} - lost):
        if not all((HERE / out["path"]).exists() for out in known[stage]["outs"]):
            continue  # DVC makes again what is missing
        subprocess.run(["dvc", "--wait-for-lock", "commit", "--force", "-q", stage], check=True)
