"""How long, how fast, in which order; nothing here depends on the machine."""

from pydantic import Field
from pydantic.dataclasses import dataclass

from s3vae.settings import STRICT


@dataclass(frozen=True, config=STRICT)
class TrainingSettings:
    """The schedule of one training."""

    steps: int = Field(gt=0)
    batch_size: int = Field(default=32, gt=1)
    learning_rate: float = Field(default=2e-3, gt=0)
    warmup: int = Field(default=100, ge=0)
    """Steps over which the learning rate rises from 0; afterwards it falls linearly to 0."""
    momentum: float = Field(default=0.9, ge=0, lt=1)
    """How much of the gradient's running mean Adam carries on (its first beta)."""
    muon: bool = False
    """Whether matrices and kernels are moved by Muon, and only the rest by Adam."""
    clip_norm: float = Field(default=1000.0, gt=0)
    """The gradient's largest allowed norm over all parameters."""
    seed: int = 0
    log_every: int = Field(default=50, gt=0)
    validate_every: int = Field(default=1000, gt=0)
    checkpoint_every: int = Field(default=250, gt=0)
    snapshot_every: int | None = Field(default=None, gt=0)
    """After how many steps each a copy of the model is kept, to be scored as the last one is."""

    def __post_init__(self) -> None:
        """A row of the history is a mean since the last one: a resume must not begin amid it."""
        if self.checkpoint_every % self.log_every:
            msg = (
                f"checkpoint_every ({self.checkpoint_every}) must be a multiple of log_every "
                f"({self.log_every})"
            )
            raise ValueError(msg)


def learning_rate(step: int, settings: TrainingSettings) -> float:
    """A linear rise over the warm-up, then a linear fall that reaches 0 after the last step."""
    rise = (step + 1) / (settings.warmup + 1)
    fall = (settings.steps - step) / max(settings.steps - settings.warmup, 1)
    return settings.learning_rate * min(rise, fall, 1.0)
