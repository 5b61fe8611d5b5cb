"""One way to train a model: architecture and losses, each a preset with changes; a schedule."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic.dataclasses import dataclass

from s3vae.model.architecture import Architecture, architecture
from s3vae.settings import STRICT
from s3vae.training.presets import LossSettings, losses
from s3vae.training.settings import TrainingSettings


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
