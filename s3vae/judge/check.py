"""Whether a judge may judge: its own accuracy on the real test clips."""

from collections.abc import Mapping, Sequence

from jaxtyping import Int
from numpy import ndarray

from s3vae.data.clips import Factor
from s3vae.judge.predictions import Judged
from s3vae.judge.scores import accuracy


class UntrustworthyJudgeError(RuntimeError):
    """The judge errs on real clips, so nothing it says of generated ones counts."""


def require_trust(
    on_real: Judged,
    labels: Mapping[str, Int[ndarray, " clip"]],
    factors: Sequence[Factor],
    least: float,
) -> dict[str, float]:
    """The judge's accuracy by factor; raises UntrustworthyJudgeError if one is below `least`."""
    right = {factor.name: accuracy(on_real[factor.name], labels[factor.name]) for factor in factors}
    failed = {name: value for name, value in right.items() if not value >= least}
    if failed:
        told = ", ".join(f"{name} {value:.2%}" for name, value in failed.items())
        msg = (
            f"the judge must be right on {least:.2%} of the real test clips, but is on: {told}. "
            "Nothing is scored; give its training more steps (judge.training in params.yaml)"
        )
        raise UntrustworthyJudgeError(msg)
    return right
