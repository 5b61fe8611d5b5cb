"""Settings of the evaluation."""

from pydantic import Field
from pydantic.dataclasses import dataclass

from s3vae.settings import STRICT


@dataclass(frozen=True, config=STRICT)
class EvaluationSettings:
    """The evaluation of a trained model."""

    sampling_seeds: tuple[int, ...] = Field(default=(0, 1, 2), min_length=1)
    least_judge_accuracy: float = Field(default=0.999, ge=0, le=1)
    """Required of the judge on every factor of the real clips; below it nothing is judged."""
    probe_clips: int = Field(default=2000, gt=0)
    """Training clips that the linear probes are fitted to."""
    picture_clips: int = Field(default=6, gt=1)
    """Rows and columns of the pictures."""
