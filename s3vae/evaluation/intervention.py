"""The scores of the MSD benchmark: one code is kept, the other changed."""

from collections.abc import Mapping

from jaxtyping import Int
from numpy import ndarray

from s3vae.evaluation.protocol import Draws, RealClips, Scores
from s3vae.judge.predictions import Predictions
from s3vae.judge.scores import mean_of

Changes = Mapping[str, tuple[Predictions, Int[ndarray, " clip"] | None]]
"""By the kind that is kept: the judge's predictions, and whose labels count, if not the clip's."""


def intervention_scores(real: RealClips, draws: Draws) -> Scores:
    """Return the MSD benchmark's scores with the other code drawn and swapped, and their floor.

    One code of a clip is kept and the other one changed; factors of the kept kind should be judged
    as those of the clip (accuracy 1), the others as by chance (1 / number of values):

        score = 1 - (mean |accuracy - 1| of kept factors + mean |accuracy - chance| of others) / 2

    The floor is that of a model that changes nothing, or everything. (Multi-factor sequential
    disentanglement benchmark, 2025.)
    """
    drawn: Changes = {"static": (draws.motion, None), "dynamic": (draws.appearance, None)}
    swapped: Changes = {"static": (draws.swap, None), "dynamic": (draws.swap, draws.donors)}
    chance = {factor.name: 1 / len(factor.values) for factor in real.factors}
    return {
        "sample_score": _intervention_score(real, drawn, chance),
        "swap_score": _intervention_score(real, swapped, chance),
        "intervention_floor": 0.5 + mean_of(chance) / 2,
    }


def _intervention_score(real: RealClips, changes: Changes, chance: Mapping[str, float]) -> float:
    """Return the score of changed clips; NaN without factors."""
    errors: dict[str, float] = {}
    other_errors: dict[str, float] = {}
    for kind, other in (("static", "dynamic"), ("dynamic", "static")):
        predictions, clips = changes[kind]
        for name, share in real.accuracies(predictions, kind, clips).items():
            errors[name] = abs(share - 1)
        for name, share in real.accuracies(predictions, other, clips).items():
            other_errors[name] = abs(share - chance[name])
    return 1 - (mean_of(errors) + mean_of(other_errors)) / 2
