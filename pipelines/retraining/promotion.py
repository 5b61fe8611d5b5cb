"""What becomes of a model that was trained: logged, registered, and champion or challenger."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.params import Chosen
from pipelines.paths import Layout, takes_clips
from pipelines.retraining.gate import COMPARED, Scores, Verdict, verdict
from pipelines.retraining.registry import CONDITIONS, VERDICT, Registry, measured, scores_of
from pipelines.retraining.verify import scored
from pipelines.tracking.publish import publish
from s3vae.progress import LOG

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

HERE = Path()


@dataclass(frozen=True)
class Outcome:
    """What became of a model."""

    chosen: Chosen
    verdict: Verdict
    version: str
    """In the registry; empty if it is not there."""
    run: str
    """MLflow's address of its training."""
    new: Scores
    old: Scores | None
    """Of the champion before, if there was one."""

    def __str__(self) -> str:
        if not self.version:
            return f"{self.chosen.name}: {self.verdict.why}"
        place = "champion" if self.verdict.champion else "challenger"
        return f"{self.chosen.name} version {self.version} is the {place}: {self.verdict.why}"


def settled(chosen: Chosen, margin: float) -> Outcome:
    """Log and register the model of the last training, and give it the alias that it earns.

    A version that has been through the gate stays what it is: the alias may have been moved back.
    """
    for _ in publish([HERE]):  # what came from DVC's cache was logged nowhere
        pass
    registry, new = Registry(), measured(chosen, HERE)
    if not takes_clips(Layout(chosen.dataset).model(chosen.method)):
        return Outcome(
            chosen, Verdict(False, "encodes no clips: not registered"), "", "", new, None
        )
    before = registry.champion(chosen.name)
    version = registry.register(chosen, HERE)
    run = registry.address(version)
    if before is not None and before.version == version.version:
        stays = Verdict(True, "these weights and scores are the champion's")
        return Outcome(chosen, stays, str(version.version), run, new, scores_of(before))
    old = champions_scores(before, version) if before else None
    if VERDICT in version.tags:
        stays = Verdict(False, f"was judged before: {version.tags[VERDICT]}")
        return Outcome(chosen, stays, str(version.version), run, new, old)
    reached = verdict(new, old, margin)
    registry.settle(version, reached)
    return Outcome(chosen, reached, str(version.version), run, new, old)


def champions_scores(champion: "ModelVersion", new: "ModelVersion") -> Scores:
    """Those to compare with the new version's: measured again if other clips or judges gave them.

    None are known of a champion that cannot take the clips of today.
    """
    known = scores_of(champion)
    unlike = champion.tags.get(CONDITIONS) != new.tags.get(CONDITIONS)
    if not unlike or scores_of(new)[COMPARED[0]] is None:
        return known
    LOG.warning("the champion, version %s, is scored on the clips of today", champion.version)
    try:
        return scored(champion)
    except (RuntimeError, ValueError) as error:
        LOG.warning("the champion cannot be scored on the clips of today: %s", error)
        return dict.fromkeys(known)
