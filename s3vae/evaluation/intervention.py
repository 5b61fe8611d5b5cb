"""The two-factor scores of the MSD benchmark: one number for how well two codes are separated."""

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from s3vae.evaluation.protocol import Draws, RealClips, Scores
from s3vae.judge.predictions import Predictions

KINDS = ("static", "dynamic")


def intervention_scores(real: RealClips, draws: Draws) -> Scores:
    """Return MSD's scores with the other code drawn and swapped, and their floor.

    One code of a clip is kept and the other one changed; factors of the kept kind should be judged
    as those of the clip (accuracy 1), the others as by chance (1 / number of values):

        score = 1 - (mean |accuracy - 1| of kept factors + mean |accuracy - chance| of others) / 2

    The floor is that of a model that changes nothing, or everything. (Multi-factor sequential
    disentanglement benchmark, 2025.)
    """
    clips = np.arange(len(draws.donors))
    drawn = [("static", draws.motion, clips), ("dynamic", draws.appearance, clips)]
    swapped = [("static", draws.swap, clips), ("dynamic", draws.swap, draws.donors)]
    chances = [1 / len(factor.values) for factor in real.factors]
    return {
        "sample_score": _score(real, drawn),
        "swap_score": _score(real, swapped),
        "intervention_floor": 0.5 + float(np.mean(chances)) / 2,
    }


def _score(real: RealClips, changes: list[tuple[str, Predictions, Int[ndarray, " clip"]]]) -> float:
    """Return the score of changed clips: the kind that is kept, predictions, and whose it is."""
    kept, others = zip(*(_errors(real, *change) for change in changes), strict=True)
    return 1 - float(np.mean(np.concatenate(kept)) + np.mean(np.concatenate(others))) / 2


def _errors(
    real: RealClips, kept: str, predictions: Predictions, clips: Int[ndarray, " clip"]
) -> tuple[list[float], list[float]]:
    """Return the distance of each accuracy from its goal, of the kept kind and of the other."""
    chance = {factor.name: 1 / len(factor.values) for factor in real.factors}
    accuracies = {kind: real.accuracies(predictions, kind, clips) for kind in KINDS}
    (other,) = {*KINDS} - {kept}
    return (
        [abs(accuracy - 1) for accuracy in accuracies[kept].values()],
        [abs(accuracy - chance[name]) for name, accuracy in accuracies[other].items()],
    )
