"""The settings of a method: an architecture, losses and a schedule, or those of a baseline."""

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
    """A sequential VAE; `architecture` and `losses` are presets with changes."""

    architecture: PresetArchitecture
    losses: Annotated[LossSettings, from_preset(losses)]
    training: TrainingSettings

    def __post_init__(self) -> None:
        """Raise ValueError for losses or a training that the architecture does not support."""
        sizes = self.architecture
        if self.training.accelerated and (
            sizes.encoder == "objects" or sizes.decoder == "broadcast"
        ):
            raise ValueError(
                "`training.accelerated` would round the positions that `encoder: objects` and "
                "`decoder: broadcast` compute: remove it"
            )
        if sizes.given_static and self.losses.weights.independence:
            raise ValueError(
                "`given_static` makes q(z_t | x) depend on z_f, which the estimate of their mutual "
                "information leaves out: set `weights: {independence: 0}`"
            )
        if self.losses.views is not None and sizes.encoder == "objects":
            msg = "`losses.views` are of whole frames, not of tracked objects: set `views: null`"
            raise ValueError(msg)


def _tag(value: Any) -> str:
    """Return the tag of a method, in angle brackets because it is not a key of the file."""
    keys = value if isinstance(value, dict) else getattr(value, "__dict__", {})
    return next((f"<{each.section}>" for each in BASELINES if each.section in keys), "<losses>")


def _any_method() -> Any:
    """Return the union of all methods, discriminated by the section that only one of them has."""
    union: Any = Annotated[Method, Tag("<losses>")]
    for baseline in BASELINES:
        union = union | Annotated[baseline.method, Tag(f"<{baseline.section}>")]
    return Annotated[union, Discriminator(_tag)]


AnyMethod = _any_method()
"""The type of a method in a config: `Method` or the settings of a baseline."""
