"""The schedule of a training, which does not depend on the machine."""

import dataclasses
import math

from pydantic import Field
from pydantic.dataclasses import dataclass

from s3vae.settings import STRICT


@dataclass(frozen=True, config=STRICT)
class TrainingSettings:
    """The schedule of one training."""

    steps: int = Field(gt=0)
    least_passes: float = Field(default=0.0, ge=0)
    """Take more than `steps` if so many passes over the training clips need them."""
    batch_size: int = Field(default=32, gt=1)
    learning_rate: float = Field(default=2e-3, gt=0)
    warmup: int = Field(default=100, ge=0)
    """Steps in which the learning rate rises linearly from 0; afterwards it falls linearly to 0."""
    momentum: float = Field(default=0.9, ge=0, lt=1)
    """Adam's first beta: the decay of its running mean of gradients."""
    muon: bool = False
    """Whether Muon updates matrices and kernels, and Adam only the other weights."""
    accelerated: bool = False
    """Whether encoder and decoder compute in bfloat16, compiled (engine/acceleration.py). It is
    for CUDA, needs a C++ compiler, and changes the weights slightly."""
    clip_norm: float = Field(default=1000.0, gt=0)
    """The largest norm of the gradient over all parameters; larger ones are scaled down to it."""
    seed: int = 0
    log_every: int = Field(default=50, gt=0)
    validate_every: int = Field(default=1000, gt=0)
    patience: int | None = Field(default=None, gt=0)
    """End the training, with its last weights, after so many validations in a row whose
    reconstruction error (of baselines: total loss) is not the smallest so far; null: only after
    the last step."""
    checkpoint_every: int = Field(default=250, gt=0)
    snapshot_every: int | None = Field(default=None, gt=0)
    """The number of steps between saved copies of the model, which are evaluated as well."""

    def __post_init__(self) -> None:
        """Raise ValueError if a resume could begin between two rows, which are means over steps."""
        if self.checkpoint_every % self.log_every:
            raise ValueError(
                f"checkpoint_every ({self.checkpoint_every}) must be a multiple of log_every "
                f"({self.log_every})"
            )

    def for_clips(self, count: int) -> "TrainingSettings":
        """Return the schedule for a number of training clips, with enough steps for all passes."""
        per_pass = max(count // self.batch_size, 1)
        steps = max(self.steps, math.ceil(self.least_passes * per_pass))
        return dataclasses.replace(self, steps=steps)


def learning_rate(step: int, settings: TrainingSettings) -> float:
    """Return the rate of a step: a linear rise, then a linear fall to 0 after the last step."""
    rise = (step + 1) / (settings.warmup + 1)
    fall = (settings.steps - step) / max(settings.steps - settings.warmup, 1)
    return settings.learning_rate * min(rise, fall, 1.0)
