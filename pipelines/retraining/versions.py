"""Versions of models in MLflow's registry: their scores, their provenance and the champion."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.dvc_lock import LOCK, measured_on, stages
from pipelines.params import Chosen
from pipelines.paths import Layout
from pipelines.retraining.gate import Scores, Verdict
from pipelines.tracking.provenance import StageRun, read_provenance, record
from pipelines.tracking.store import Store, has_model, without_logins
from s3vae.evaluation.metrics import names
from s3vae.files import checksum_of

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

CHAMPION, CHALLENGER = "champion", "challenger"
VERDICT, CONDITIONS, LOCK_TAG = "verdict", "measured_on", "dvc.lock_md5"
"""Tags of versions: the gate's verdict; the clips, judge and settings of the scores; dvc.lock."""
UI = "http://127.0.0.1:5000"
SCORED = names("headline", "separation")


class RegistryError(RuntimeError):
    """A model or version does not exist or cannot be registered."""


class Registry:
    """The registry of the store to which the stages log."""

    def __init__(self) -> None:
        self.store = Store()
        self.client = self.store.client

    def champion(self, name: str) -> "ModelVersion | None":
        """Return the version with the alias `champion`, if any."""
        return next((each for each in self.versions(name) if CHAMPION in each.aliases), None)

    def versions(self, name: str) -> "list[ModelVersion]":
        """Return all versions of a model, the newest first; none if there is no such model."""
        found = self.client.search_model_versions(f"name='{name}'", max_results=1000)
        # a search returns versions without their aliases
        versions = [self.client.get_model_version(name, each.version) for each in found]
        return sorted(versions, key=lambda version: int(version.version), reverse=True)

    def names(self) -> list[str]:
        """Return the names of all models."""
        return sorted(each.name for each in self.client.search_registered_models(max_results=1000))

    def register(self, chosen: Chosen) -> "ModelVersion":
        """Return the version of a trained and evaluated model, which is created if it is new.

        Raises RegistryError if the store has no model of this training.
        """
        folder = Layout(chosen.dataset).scores(chosen.method)
        training = read_provenance(folder / "provenance-train.json")
        name, tags = chosen.name, tags_of(chosen, training)
        identity = {key: tag for key, tag in tags.items() if key.startswith(("score.", "weights"))}
        for version in self.versions(name):
            if identity.items() <= version.tags.items():
                return version
        run = self.store.find(key=training.key)
        if run is None or run.outputs is None or not has_model(run):
            raise RegistryError(f"MLflow has no model of {name}: make publish logs what is here")
        model_id = run.outputs.model_outputs[0].model_id
        # `models:/ID` would be resolved in the store of the moment, which may be another
        source = self.client.get_logged_model(model_id).artifact_location
        self.client.set_tag(run.info.run_id, LOCK_TAG, tags[LOCK_TAG])
        if name not in self.names():
            description = f"{chosen.method} on {chosen.dataset}"
            self.client.create_registered_model(name, description=description)
        return self.client.create_model_version(
            name, source, run.info.run_id, tags=tags, model_id=model_id
        )

    def address(self, version: "ModelVersion") -> str:
        """Return the address of a version's training, on the server or else of `make ui`."""
        uri = without_logins(self.store.uri) if self.store.uri.startswith("http") else UI
        return f"{uri}/#/experiments/{self.store.experiment}/runs/{version.run_id}"

    def assign(self, version: "ModelVersion", verdict: Verdict) -> None:
        """Give the version its alias, and store the reason."""
        alias = CHAMPION if verdict.champion else CHALLENGER
        if verdict.champion and CHALLENGER in version.aliases:
            self.client.delete_registered_model_alias(version.name, CHALLENGER)
        self.client.set_model_version_tag(version.name, version.version, VERDICT, verdict.why)
        self.client.set_registered_model_alias(version.name, alias, version.version)

    def move(self, name: str, number: str) -> None:
        """Make a version the champion. Raises RegistryError if there is none of this number."""
        version = next((v for v in self.versions(name) if str(v.version) == number), None)
        if version is None:
            lists = "python -m pipelines.retraining.registry lists all"
            raise RegistryError(f"{name} has no version {number}: {lists}")
        if CHAMPION not in version.aliases:
            before = version.tags.get(VERDICT, "not compared")
            self.assign(version, Verdict(True, f"was made the champion by hand; before: {before}"))


def scores_of(version: "ModelVersion") -> Scores:
    """Return the scores with which a version was registered."""
    tags = {name: version.tags.get(f"score.{name}") for name in SCORED}
    return {name: float(tag) if tag else None for name, tag in tags.items()}


def current_scores(chosen: Chosen) -> Scores:
    """Return the scores of the last evaluation."""
    path = Layout(chosen.dataset).scores(chosen.method) / "metrics.json"
    content: Scores = json.loads(path.read_text())
    return {name: content.get(name) for name in SCORED}


def tags_of(chosen: Chosen, run: StageRun) -> dict[str, str]:
    """Return the tags of a version: its scores and the provenance of its training."""
    path = Layout(chosen.dataset).scores(chosen.method) / "environment.json"
    training, scores = json.loads(path.read_text()), current_scores(chosen).items()
    return {
        **{f"score.{name}": repr(score) for name, score in scores if score is not None},
        "dataset": chosen.dataset,
        "method": chosen.method,
        "weights_sha256": str(run.weights_sha256),
        "data_md5": record(run.clips).md5,
        CONDITIONS: measured_on(stages(Path()), chosen),
        "git.commit": str(training["commit"]),
        "git.dirty": str(training["changed"]).lower(),
        LOCK_TAG: checksum_of(LOCK, "md5"),
    }
