"""The accuracy that a judge must have on real clips before it scores generated ones."""

from collections.abc import Mapping, Sequence

from jaxtyping import Int
from numpy import ndarray

from s3vae.data.clips import Factor
from s3vae.judge.predictions import Predictions
from s3vae.judge.scores import accuracy


class InaccurateJudgeError(RuntimeError):
    """The judge errs on real clips, so its predictions for generated ones are no measure."""


def check_judge(
    real: Predictions,
    labels: Mapping[str, Int[ndarray, " clip"]],
    factors: Sequence[Factor],
    least: float,
) -> None:
    """Raise InaccurateJudgeError if the accuracy of a factor is below `least`."""
    accuracies = {
        factor.name: accuracy(real[factor.name], labels[factor.name]) for factor in factors
    }
    failed = {name: value for name, value in accuracies.items() if not value >= least}
    if failed:
        message = ", ".join(f"{name} {value:.2%}" for name, value in failed.items())
        msg = (
            f"the judge needs an accuracy of {least:.2%} on real clips, but has: {message}. "
            "Nothing is judged; increase `judge.training.steps` and `judge.patience` in its config"
        )
        raise InaccurateJudgeError(msg)
