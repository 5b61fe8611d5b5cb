"""The comparison of a new model with the champion: better, and in no score much worse."""

from collections.abc import Mapping
from typing import NamedTuple

from s3vae.evaluation.metrics import names

COMPARED = (names("headline")[0], names("separation")[0])
"""The accuracy of the motion under random appearance, and of the appearance under random motion."""
MARGIN = 0.005
"""The largest loss in one score that a better model may have: half a percentage point."""

BY_HAND = "python -m pipelines.retraining.registry champion NAME VERSION"

Scores = Mapping[str, float | None]


class Verdict(NamedTuple):
    """Whether a model becomes the champion, and the reason."""

    champion: bool
    why: str


def verdict(new: Scores, champion: Scores | None, margin: float = MARGIN) -> Verdict:
    """Compare the new model with the champion, None if there is none.

    A model is better if the sum of its scores is higher and none is lower by more than the margin.
    Without a champion the model becomes it in any case. Beside one, a model that the judge did not
    score (protocol.md) is left to the user.
    """
    missing = [name for name in COMPARED if new.get(name) is None]
    unjudged = f"was not judged ({', '.join(missing)})"
    if champion is None:
        return Verdict(True, f"there was none, and it {unjudged}" if missing else "there was none")
    if missing:
        return Verdict(False, f"{unjudged}: `{BY_HAND}` makes it the champion")
    if any(champion.get(name) is None for name in COMPARED):
        return Verdict(True, "the champion was never judged")
    pairs = {name: (new[name] or 0.0, champion[name] or 0.0) for name in COMPARED}
    text = ", ".join(f"{name} {ours:.2%} against {old:.2%}" for name, (ours, old) in pairs.items())
    gains = {name: ours - old for name, (ours, old) in pairs.items()}
    if worse := [name for name, gain in gains.items() if gain < -margin]:
        return Verdict(False, f"{' and '.join(worse)} worse by more than {margin:.2%}: {text}")
    if sum(gains.values()) <= 0:
        return Verdict(False, f"no better: {text}")
    return Verdict(True, f"better: {text}")
