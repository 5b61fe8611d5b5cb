"""Models by name in MLflow's registry: which version is the champion, and how each came to be.

`python -m pipelines.retraining.registry` shows the history of all models,
`... champion NAME VERSION` moves the alias, `... verify NAME` scores the champion again.
"""

import argparse
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.dvc_lock import LOCK, measured_on, stages
from pipelines.params import Chosen
from pipelines.paths import Layout
from pipelines.retraining.gate import COMPARED, Scores, Verdict
from pipelines.tracking.provenance import StageRun, read_origin, record
from pipelines.tracking.store import Store, has_model, without_logins
from s3vae.evaluation.metrics import names
from s3vae.files import checksum_of

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

CHAMPION, CHALLENGER = "champion", "challenger"
VERDICT, CONDITIONS = "verdict", "measured_on"
"""Tags of versions: what the gate said, and what clips, judge and settings the scores are of."""
UI = "http://127.0.0.1:5000"
LOCK_TAG = "dvc.lock_md5"
SCORED = names("headline", "separation")


class RegistryError(RuntimeError):
    """A model or version that is not there, or cannot be registered."""


class Registry:
    """The registry of the store that the stages log to."""

    def __init__(self) -> None:
        self.store = Store()
        self.client = self.store.client

    def champion(self, name: str) -> "ModelVersion | None":
        """The version that the alias names."""
        return next((each for each in self.versions(name) if CHAMPION in aliases(each)), None)

    def versions(self, name: str) -> "list[ModelVersion]":
        """All versions of a model, the newest first; none if there is no such model."""
        found = self.client.search_model_versions(f"name='{name}'", max_results=1000)
        # only asked for one by one do versions know their aliases
        known = [self.client.get_model_version(name, each.version) for each in found]
        return sorted(known, key=lambda version: int(version.version), reverse=True)

    def names(self) -> list[str]:
        """All models."""
        found = self.client.search_registered_models(max_results=1000)
        return sorted(model.name for model in found)

    def register(self, chosen: Chosen, folder: Path) -> "ModelVersion":
        """The version of a trained and evaluated model: made, or found if it is registered.

        `folder` is the pipeline's; its results must be in the store. Raises RegistryError if the
        store has no model for them.
        """
        name, tags = chosen.name, tags_of(chosen, folder)
        told = {key: tag for key, tag in tags.items() if key.startswith(("score.", "weights"))}
        for version in self.versions(name):
            if told.items() <= version.tags.items():
                return version
        run = self.store.find(key=origin(chosen, folder).key)
        if run is None or run.outputs is None or not has_model(run):
            msg = f"MLflow has no model of {name}: make publish logs what is here"
            raise RegistryError(msg)
        model_id = run.outputs.model_outputs[0].model_id
        # `models:/ID` would be looked for in MLflow's store of the moment, which may be another
        source = self.client.get_logged_model(model_id).artifact_location
        self.client.set_tag(run.info.run_id, LOCK_TAG, tags[LOCK_TAG])
        if name not in self.names():
            described = f"{chosen.method} on {chosen.dataset}"
            self.client.create_registered_model(name, description=described)
        return self.client.create_model_version(
            name, source, run.info.run_id, tags=tags, model_id=model_id
        )

    def address(self, version: "ModelVersion") -> str:
        """Where MLflow shows the training of a version: on the server, else where `make ui` is."""
        uri = without_logins(self.store.uri) if self.store.uri.startswith("http") else UI
        return f"{uri}/#/experiments/{self.store.experiment}/runs/{version.run_id}"

    def settle(self, version: "ModelVersion", verdict: Verdict) -> None:
        """Give the version the alias that it has earned, and note why."""
        alias = CHAMPION if verdict.champion else CHALLENGER
        self.client.set_model_version_tag(version.name, version.version, VERDICT, verdict.why)
        self.client.set_registered_model_alias(version.name, alias, version.version)

    def move(self, name: str, number: str) -> None:
        """Make a version the champion. Raises RegistryError if there is none of this number."""
        if number not in {str(version.version) for version in self.versions(name)}:
            msg = (
                f"{name} has no version {number}: python -m pipelines.retraining.registry lists all"
            )
            raise RegistryError(msg)
        self.client.set_registered_model_alias(name, CHAMPION, number)


def aliases(version: "ModelVersion") -> list[str]:
    """Those of a version; MLflow gives none as None or as an empty list."""
    return list(version.aliases or ())


def scores_of(version: "ModelVersion") -> Scores:
    """The scores that a version was registered with."""
    said = {name: version.tags.get(f"score.{name}") for name in SCORED}
    return {name: float(value) if value else None for name, value in said.items()}


def measured(chosen: Chosen, folder: Path) -> Scores:
    """The scores of the last evaluation."""
    path = folder / Layout(chosen.dataset).scores(chosen.method) / "metrics.json"
    content: Mapping[str, float | None] = json.loads(path.read_text())
    return {name: content.get(name) for name in SCORED}


def origin(chosen: Chosen, folder: Path) -> StageRun:
    """What the last training was of."""
    scores = folder / Layout(chosen.dataset).scores(chosen.method)
    return read_origin(scores / "origin-train.json")


def tags_of(chosen: Chosen, folder: Path) -> dict[str, str]:
    """What a version says of itself: its scores, and what it was made from."""
    scores = folder / Layout(chosen.dataset).scores(chosen.method)
    run, trained = origin(chosen, folder), json.loads((scores / "circumstances.json").read_text())
    known = {name: score for name, score in measured(chosen, folder).items() if score is not None}
    return {
        **{f"score.{name}": repr(score) for name, score in known.items()},
        "dataset": chosen.dataset,
        "method": chosen.method,
        "weights_sha256": str(run.weights_sha256),
        "data_md5": record(run.clips).md5,
        CONDITIONS: measured_on(stages(folder), chosen),
        "git.commit": str(trained["commit"]),
        "git.dirty": str(trained["changed"]).lower(),
        LOCK_TAG: checksum_of(folder / LOCK, "md5"),
    }


def history(registry: Registry) -> Iterator[str]:
    """A line for every version of every model, the newest first."""
    names = registry.names()
    if not names:
        yield "No model is registered yet: prefect deployment run 'retrain/nightly' registers them."
    for model in names:
        yield model
        for version in registry.versions(model):
            made = datetime.fromtimestamp(version.creation_timestamp / 1000, UTC)
            scores = scores_of(version)
            told = [
                f"{name} {score:.4f}" for name in COMPARED if (score := scores[name]) is not None
            ]
            commit = version.tags.get("git.commit", "")[:8]
            yield "  ".join(
                [
                    f"{version.version:>4}",
                    f"{made:%Y-%m-%d %H:%M}",
                    f"{','.join(aliases(version)) or '-':10}",
                    "  ".join(told) or "not judged",
                    commit,
                    version.tags.get(VERDICT, ""),
                ]
            )


def main() -> None:
    """Show the history, move the alias, or verify a champion."""
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.retraining.registry", description=__doc__
    )
    commands = parser.add_subparsers(dest="command")
    move = commands.add_parser("champion", help="move the alias to a version")
    move.add_argument("name")
    move.add_argument("version")
    verify = commands.add_parser("verify", help="load a champion and compute its scores again")
    verify.add_argument("name")
    asked = parser.parse_args()
    if asked.command == "verify":
        from pipelines.retraining.verify import verified  # needs torch

        print("\n".join(verified(asked.name)))
        return
    registry = Registry()
    if asked.command == "champion":
        registry.move(asked.name, asked.version)
    print("\n".join(history(registry)))


if __name__ == "__main__":
    main()
