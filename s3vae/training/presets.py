"""Which losses, how heavy: the paper's numbers, the released code's, and ours."""

from dataclasses import field, replace
from typing import Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from s3vae.settings import STRICT
from s3vae.signals.clusters import ClusterSettings

Signal = Literal["top-cells", "top-cells+direction", "cells", "distances"]


@dataclass(frozen=True, config=STRICT)
class Weights:
    """What every term of the objective is multiplied with."""

    reconstruction: float = 1.0
    static_kl: float = 1.0
    dynamic_kl: float = 1.0
    consistency: float = 1000.0
    factor_prediction: float = 100.0
    independence: float = 1.0
    aggregate: float = 0.0
    between_clusters: float = Field(default=0.0, ge=0)
    """Of what differs in mean and covariance of z_f between motion clusters (`exchange`)."""
    supervision: float = Field(default=0.0, ge=0)
    """Of the true factors' cross-entropy."""


@dataclass(frozen=True, config=STRICT)
class Exchange:
    """Motion exchange: how clips are clustered by their signal, and how long moments remember."""

    decay: float = Field(default=0.995, gt=0, lt=1)
    clustering: ClusterSettings = field(default_factory=ClusterSettings)
    """How many clusters there are is chosen by silhouette; with one, nothing is exchanged."""
    starts: bool = True
    """Whether the prior of z_t begins each motion with a z_0 of its cluster, or all with 0."""


@dataclass(frozen=True, config=STRICT)
class AbsoluteErrors:
    """What reconstruction ends with: absolute errors in place of squares (`losses/elbo.py`).

    From black pictures absolute errors do not get away, so squares come first.
    """

    after: int = Field(ge=0)
    """The steps with squares."""
    softness: float = Field(default=0.01, gt=0)
    """Errors (of intensities in [0, 1]) below this still count as squares."""
    meets: float = Field(default=0.1, gt=0)
    """The error whose weight is the same either way."""


@dataclass(frozen=True, config=STRICT)
class LossSettings:
    """Everything that the objective can be told; the defaults are the paper's."""

    weights: Weights = field(default_factory=Weights)
    margin: float = Field(default=1.0, ge=0)
    signal: Signal = "top-cells"
    mutual_information: Literal["paper", "ours"] = "paper"
    aggregate_decay: float = Field(default=0.0, ge=0, lt=1)
    """Of the running moments that tell the aggregate posterior; if 0 each batch's own mean and
    covariance do."""
    decoded_frames: int | None = Field(default=None, gt=0)
    """How many frames of each clip are decoded in a step; all of them if null."""
    exchange: Exchange | None = None
    partners: float = Field(default=0.0, ge=0, le=1)
    """How often a clip is decoded from the z_t of another clip of its motion cluster."""
    absolute: AbsoluteErrors | None = None
    """Where absolute errors take the place of squares; nowhere if null."""

    def __post_init__(self) -> None:
        """Partners and prices go by motion clusters, and these belong to the exchange.

        A memory serves a term that has a weight.
        """
        if self.partners and self.exchange is None:
            msg = (
                f"partners ({self.partners}) are of the same motion cluster, which `exchange` "
                "finds: name its settings too, or leave partners out"
            )
            raise ValueError(msg)
        if self.weights.between_clusters and self.exchange is None:
            msg = (
                f"between_clusters ({self.weights.between_clusters}) weighs what z_f tells of "
                "motion clusters, which `exchange` finds: name its settings too, or leave it at 0"
            )
            raise ValueError(msg)

        if self.aggregate_decay and not self.weights.aggregate:
            msg = (
                f"aggregate_decay ({self.aggregate_decay}) is of what `weights.aggregate` weighs, "
                "which is 0: give it a weight, or leave aggregate_decay out"
            )
            raise ValueError(msg)

    @property
    def supervised(self) -> bool:
        """Whether the true factors are told: no other method reads labels."""
        return self.weights.supervision > 0


PRESETS: dict[str, LossSettings] = {
    "paper": LossSettings(),
    "released": LossSettings(
        weights=Weights(consistency=100.0, factor_prediction=0.1, independence=0.01),
        signal="top-cells+direction",
    ),
    "baseline": LossSettings(
        weights=Weights(consistency=0.0, factor_prediction=0.0, independence=0.0),
    ),
    "supervised": LossSettings(
        weights=Weights(
            consistency=0.0, factor_prediction=0.0, independence=0.0, supervision=100.0
        ),
    ),
    "ours": LossSettings(
        weights=Weights(
            reconstruction=3.0,
            static_kl=1.0,
            dynamic_kl=2.0,
            consistency=100.0,
            factor_prediction=100.0,
            independence=1.0,
            aggregate=10.0,
        ),
        signal="cells",
        mutual_information="ours",
        decoded_frames=3,
        exchange=Exchange(),
    ),
}


def losses(preset: str, weights: dict[str, float] | None = None, **changes: Any) -> LossSettings:
    """A preset with some of its fields and weights replaced; unknown ones are refused by name."""
    if preset not in PRESETS:
        msg = f"there is no loss preset {preset!r}, only {', '.join(PRESETS)}"
        raise ValueError(msg)
    weighed = replace(PRESETS[preset].weights, **(weights or {}))
    return replace(PRESETS[preset], weights=weighed, **changes)
