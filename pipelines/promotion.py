"""What becomes of a model that was trained: logged, registered, and champion or challenger."""

from dataclasses import dataclass
from pathlib import Path

from pipelines.gate import Scores, Verdict, verdict
from pipelines.layout import Layout, takes_clips
from pipelines.params import Chosen
from pipelines.publish import publish
from pipelines.registry import Registry, measured, scores_of

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

    A version that is the champion already stays it.
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
    old = scores_of(before) if before else None
    reached = verdict(new, old, margin)
    registry.settle(version, reached)
    return Outcome(chosen, reached, str(version.version), run, new, old)
