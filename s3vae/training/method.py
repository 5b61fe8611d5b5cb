"""One way to train a model: an architecture, losses, a schedule."""

from typing import Annotated, Any

from pydantic import Discriminator, Tag
from pydantic.dataclasses import dataclass

from s3vae.baselines.catalogue import BASELINES
from s3vae.engine.schedule import TrainingSettings
from s3vae.model.architecture import PresetArchitecture
from s3vae.settings import STRICT, from_preset
from s3vae.training.presets import LossSettings, losses


@dataclass(frozen=True, config=STRICT)
class Method:
    """A sequential VAE: `architecture` and `losses` are each a `preset` and changes to it."""

    architecture: PresetArchitecture
    losses: Annotated[LossSettings, from_preset(losses)]
    training: TrainingSettings


def _tag(value: Any) -> str:
    """Return the tag of a method, in brackets since it is no key of the file."""
    keys = value if isinstance(value, dict) else getattr(value, "__dict__", {})
    return next((f"<{each.section}>" for each in BASELINES if each.section in keys), "<losses>")


def _any_method() -> Any:
    """Return the union of all methods, told apart by the section that only they have."""
    union: Any = Annotated[Method, Tag("<losses>")]
    for baseline in BASELINES:
        union = union | Annotated[baseline.method, Tag(f"<{baseline.section}>")]
    return Annotated[union, Discriminator(_tag)]


AnyMethod = _any_method()
"""The type of every method that a config may hold: `Method`, or a baseline's settings."""
