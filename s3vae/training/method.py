"""One way to train a model: an architecture, what is minimized, a schedule."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Tag
from pydantic.dataclasses import dataclass

from s3vae.baselines.mocogan.objective import AdversarialSettings
from s3vae.engine.schedule import TrainingSettings
from s3vae.model.architecture import Architecture, architecture
from s3vae.settings import STRICT
from s3vae.training.presets import LossSettings, losses

VARIATIONAL, ADVERSARIAL = "<variational>", "<adversarial>"
"""Kinds of method: in brackets, since they are no keys of params.yaml."""


def _preset(expand: Callable[..., Any]) -> BeforeValidator:
    def expanded(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        if "preset" not in value:
            msg = "`preset` is missing"
            raise ValueError(msg)
        return expand(**value)

    return BeforeValidator(expanded)


@dataclass(frozen=True, config=STRICT)
class Method:
    """A method in params.yaml: `architecture` and `losses` are a `preset` and changes to it."""

    architecture: Annotated[Architecture, _preset(architecture)]
    losses: Annotated[LossSettings, _preset(losses)]
    training: TrainingSettings


@dataclass(frozen=True, config=STRICT)
class AdversarialMethod:
    """MoCoGAN in params.yaml: it has `adversarial` where the other methods have `losses`."""

    architecture: Annotated[Architecture, _preset(architecture)]
    adversarial: AdversarialSettings
    training: TrainingSettings


def _kind(value: Any) -> str:
    told = value if isinstance(value, dict) else getattr(value, "__dict__", {})
    return ADVERSARIAL if "adversarial" in told else VARIATIONAL


AnyMethod = Annotated[
    Annotated[Method, Tag(VARIATIONAL)] | Annotated[AdversarialMethod, Tag(ADVERSARIAL)],
    Discriminator(_kind),
]
"""Any of the methods that params.yaml may tell."""
