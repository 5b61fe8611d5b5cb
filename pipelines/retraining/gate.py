"""Whether a new model takes the champion's place: better, and in nothing much worse."""

from collections.abc import Mapping
from typing import NamedTuple

from s3vae.evaluation.metrics import names

COMPARED = (names("headline")[0], names("separation")[0])
"""Accuracy of the motion with drawn appearance, and static preservation with drawn motion."""
MARGIN = 0.005
"""How much worse a better model may be in one of them: half a point."""

Scores = Mapping[str, float | None]


class Verdict(NamedTuple):
    """Whether it is the new champion, and why (not)."""

    champion: bool
    why: str


def verdict(new: Scores, champion: Scores | None, margin: float = MARGIN) -> Verdict:
    """The new model against the champion, None if there is none.

    A model is better if the sum of its scores is higher and none is lower by more than the margin.
    One that was never judged (its clips have no labels) is left to a human.
    """
    if missing := [name for name in COMPARED if new.get(name) is None]:
        return Verdict(False, f"was not judged ({', '.join(missing)}): move the alias by hand")
    if champion is None:
        return Verdict(True, "is the first one")
    if any(champion.get(name) is None for name in COMPARED):
        return Verdict(True, "the champion was never judged")
    gains = {name: _score(new, name) - _score(champion, name) for name in COMPARED}
    told = ", ".join(
        f"{name} {_score(new, name):.2%} against {_score(champion, name):.2%}" for name in COMPARED
    )
    worse = [name for name, gain in gains.items() if gain < -margin]
    if worse:
        return Verdict(False, f"{' and '.join(worse)} worse by more than {margin:.2%}: {told}")
    if sum(gains.values()) <= 0:
        return Verdict(False, f"no better: {told}")
    return Verdict(True, f"better: {told}")


def _score(scores: Scores, name: str) -> float:
    value = scores[name]
    assert value is not None  # asked above
    return value
