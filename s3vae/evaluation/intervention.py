"""The two-factor scores of the MSD benchmark: one number for how well two codes are separated."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from s3vae.evaluation.protocol import Draws, RealClips, Scores
from s3vae.judge.predictions import Predictions
from s3vae.judge.scores import mean_of

KINDS = ("static", "dynamic")
Change = tuple[str, Predictions, Int[ndarray, " clip"]]
"""The kind that is the clip's own, the judge's predictions, and whose labels count."""


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
    chance = {factor.name: 1 / len(factor.values) for factor in real.factors}
    return {
        "sample_score": _score(real, drawn, chance),
        "swap_score": _score(real, swapped, chance),
        "intervention_floor": 0.5 + mean_of(chance) / 2,
    }


def _score(real: RealClips, changes: Sequence[Change], chance: Mapping[str, float]) -> float:
    """Return the score of changed clips; NaN without factors."""
    errors: dict[str, float] = {}
    other_errors: dict[str, float] = {}
    for kind, predictions, clips in changes:
        (other,) = {*KINDS} - {kind}
        for name, share in real.accuracies(predictions, kind, clips).items():
            errors[name] = abs(share - 1)
        for name, share in real.accuracies(predictions, other, clips).items():
            other_errors[name] = abs(share - chance[name])
    return 1 - (mean_of(errors) + mean_of(other_errors)) / 2
