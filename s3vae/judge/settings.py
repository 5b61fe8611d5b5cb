"""Settings of the judge: its network and its training."""

from pydantic import Field
from pydantic.dataclasses import dataclass

from s3vae.engine.schedule import TrainingSettings
from s3vae.settings import STRICT


@dataclass(frozen=True, config=STRICT)
class JudgeSettings:
    """The network of the judge."""

    width: int = Field(default=16, gt=0)
    """Channels after the first convolution."""
    pooled: bool = False
    """Pool features over space and time, for moving objects and factors that neither position nor
    order determines. Otherwise both position and order enter."""
    differences: bool = False
    """Add to the features of a frame their deviation from the clip's mean, in standard deviations,
    for small motion of large objects."""
    separate: bool = False
    """Read static factors from small windows and dynamic ones in other colours, so that a pair of
    values that training never shows is read too (judge/separate.py)."""

    def __post_init__(self) -> None:
        """Raise ValueError for settings that exclude each other."""
        if self.separate and (self.pooled or self.differences):
            raise ValueError("`separate` excludes `pooled` and `differences`: remove one of them")


@dataclass(frozen=True, config=STRICT)
class JudgeStage:
    """The judge's network, its training and the augmentation of training clips."""

    network: JudgeSettings
    training: TrainingSettings
    shift: int = Field(default=0, ge=0)
    """The largest shift of a clip along each axis in pixels, so that few identities suffice."""
    mirror: bool = False
    """Mirror half of the clips, where no factor distinguishes left from right."""
    frames: int | None = Field(default=None, gt=0)
    """Random frames per clip and step, for factors that a few frames determine; all if null."""
    perfect_validations: int | None = Field(default=None, gt=0)
    """End the training early after so many validations in a row without an error; null: never."""
    patience: int | None = Field(default=None, gt=0)
    """End it early, too, after so many validations in a row whose accuracy of the worst factor was
    no better than the best before; null: never."""
    fresh: bool = False
    """Draw every training clip anew from the source of the train split, for drawn data sets."""

    def __post_init__(self) -> None:
        """Raise ValueError for settings of models that a judge does not follow."""
        training = self.training
        if training.patience is not None or training.least_passes or training.accelerated:
            msg = (
                "a judge ends by `judge.perfect_validations` or `judge.patience`, in single "
                "precision: remove `patience`, `least_passes` and `accelerated` from "
                "`judge.training`"
            )
            raise ValueError(msg)
