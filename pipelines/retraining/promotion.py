"""The promotion of a trained model: logged, registered, and made champion or challenger."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.params import Chosen
from pipelines.paths import Layout, takes_clips
from pipelines.retraining.gate import COMPARED, Scores, Verdict, verdict
from pipelines.retraining.verify import compute_scores
from pipelines.retraining.versions import CONDITIONS, VERDICT, Registry, current_scores, scores_of
from pipelines.tracking.publish import publish
from s3vae.progress import LOG

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion


@dataclass(frozen=True)
class Outcome:
    """The outcome of the comparison of a model with its champion."""

    chosen: Chosen
    verdict: Verdict
    new: Scores
    version: str = ""
    """In the registry; empty if the model is not registered."""
    run: str = ""
    """MLflow's address of its training."""
    old: Scores | None = None
    """The scores of the previous champion, if there was one."""

    def __str__(self) -> str:
        if not self.version:
            return f"{self.chosen.name}: {self.verdict.why}"
        alias = "champion" if self.verdict.champion else "challenger"
        return f"{self.chosen.name} version {self.version} is the {alias}: {self.verdict.why}"


def register_and_compare(chosen: Chosen, margin: float) -> Outcome:
    """Log and register the last trained model, and give it the alias that it earns.

    A version that was compared before keeps its state: the user may have moved the alias back.
    """
    for _ in publish([Path()]):  # results from DVC's cache may not have been logged
        pass
    registry, new = Registry(), current_scores(chosen)
    if not takes_clips(Layout(chosen.dataset).model(chosen.method)):
        return Outcome(chosen, Verdict(False, "encodes no clips: not registered"), new)
    before, version = registry.champion(chosen.name), registry.register(chosen)
    if before is not None and before.version == version.version:
        old: Scores | None = scores_of(before)
        result = Verdict(True, "these weights and scores are the champion's")
    else:
        old = comparable_scores(before, version) if before else None
        if before is not None and VERDICT in version.tags:
            result = Verdict(False, f"was judged before: {version.tags[VERDICT]}")
        else:
            result = verdict(new, old, margin)
            registry.assign(version, result)
    return Outcome(chosen, result, new, str(version.version), registry.address(version), old)


def comparable_scores(champion: "ModelVersion", new: "ModelVersion") -> Scores:
    """Return the champion's scores, computed again if other clips or judges gave them.

    A champion that cannot encode the current clips has none.
    """
    known = scores_of(champion)
    same = champion.tags.get(CONDITIONS) == new.tags.get(CONDITIONS)
    if same or scores_of(new)[COMPARED[0]] is None:
        return known
    LOG.warning("the champion, version %s, is scored on the current clips", champion.version)
    try:
        return compute_scores(champion)
    except (RuntimeError, ValueError) as error:
        LOG.warning("the champion cannot be scored on the current clips: %s", error)
        return dict.fromkeys(known)
