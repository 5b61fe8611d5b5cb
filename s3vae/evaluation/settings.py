"""What evaluation can be told."""

from pydantic import Field
from pydantic.dataclasses import dataclass

from s3vae.settings import STRICT


@dataclass(frozen=True, config=STRICT)
class JudgeSettings:
    """The judge's network."""

    width: int = Field(default=16, gt=0)
    """Channels after its first convolution."""
    pooled: bool = False
    """Whether what is seen counts wherever and whenever it is: for objects that move about, and
    factors that neither place nor order tell. Else both count."""
    differences: bool = False
    """Whether what is seen in a frame is told beside its difference from the clip's mean, in units
    of its spread: for small motion of something large."""


@dataclass(frozen=True, config=STRICT)
class EvaluationSettings:
    """How a trained model is judged."""

    sampling_seeds: tuple[int, ...] = Field(default=(0, 1, 2), min_length=1)
    least_judge_accuracy: float = Field(default=0.999, ge=0, le=1)
    """On every factor of the real test clips; a judge below it scores nothing."""
    probe_clips: int = Field(default=2000, gt=0)
    """How many training clips the linear probes learn from."""
    picture_clips: int = Field(default=6, gt=1)
    """Rows and columns of the pictures."""
