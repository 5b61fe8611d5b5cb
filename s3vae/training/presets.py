"""The terms of the objective and their weights: the paper's, the released code's, and ours."""

from dataclasses import field, replace
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass

from s3vae.settings import STRICT
from s3vae.signals.clusters import ClusterSettings
from s3vae.training.targets import known_signal

Signal = Annotated[str, AfterValidator(known_signal)]


@dataclass(frozen=True, config=STRICT)
class Weights:
    """The weight of every term; `static_kl` and `dynamic_kl` are the beta of a beta-VAE."""

    reconstruction: float = 1.0
    static_kl: float = 1.0
    dynamic_kl: float = 1.0
    consistency: float = 1000.0
    factor_prediction: float = 100.0
    independence: float = 1.0
    aggregate: float = 0.0
    supervision: float = Field(default=0.0, ge=0)
    """The weight of the cross-entropy of the true factors."""


@dataclass(frozen=True, config=STRICT)
class Exchange:
    """Motion clusters and the exchange of z_f between them (losses/exchange.py)."""

    decay: float = Field(default=0.995, gt=0, lt=1)
    """The decay of the exponential moving average of each cluster's z_f."""
    clustering: ClusterSettings = field(default_factory=ClusterSettings)
    """The number of clusters is chosen by silhouette; with one cluster nothing is exchanged."""
    initial_states: bool = True
    """Whether the dynamic prior starts from a learned z_0 per cluster, or from 0."""


@dataclass(frozen=True, config=STRICT)
class Views:
    """In training, what each code is inferred from, so that it cannot hold what the other should.

    The losses compare decoded frames with the clip as it is (training/views.py).
    """

    static_frames: int = Field(default=1, gt=0)
    """The number of random frames of a clip that z_f is inferred from."""
    colour_jitter: float = Field(default=0.4, ge=0)
    """The strength of the random change of colours before z_t is inferred, one per clip."""


@dataclass(frozen=True, config=STRICT)
class LossSettings:
    """The settings of the objective; the defaults are the paper's."""

    weights: Weights = field(default_factory=Weights)
    margin: float = Field(default=1.0, ge=0)
    """The margin of the triplet loss."""
    signal: Signal = "top-cells"
    """The signal that z_t predicts (training/targets.py)."""
    mutual_information: Literal["paper", "ours"] = "paper"
    """The estimator of the independence term."""
    decoded_frames: int | None = Field(default=None, gt=0)
    """The number of random frames of each clip that are decoded in a step; all if null."""
    views: Views | None = None
    exchange: Exchange | None = None
    same_cluster_swap: float = Field(default=0.0, ge=0, le=1)
    """The probability that a clip is decoded from z_t of another clip of its motion cluster."""

    def __post_init__(self) -> None:
        """Raise ValueError if a setting needs another one which is missing."""
        if self.same_cluster_swap and self.exchange is None:
            raise ValueError(
                f"same_cluster_swap ({self.same_cluster_swap}) needs motion clusters: add "
                "`exchange`, or set it to 0"
            )

    @property
    def supervised(self) -> bool:
        """Whether the method learns from labels."""
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
        weights=Weights(reconstruction=3.0, dynamic_kl=2.0, consistency=100.0, aggregate=10.0),
        signal="cells",
        mutual_information="ours",
        decoded_frames=3,
        exchange=Exchange(),
    ),
}


def losses(preset: str, weights: dict[str, float] | None = None, **changes: Any) -> LossSettings:
    """Return a preset with some fields and weights replaced. Raises an error for unknown names."""
    if preset not in PRESETS:
        raise ValueError(f"there is no loss preset {preset!r}, only {', '.join(PRESETS)}")
    weighed = replace(PRESETS[preset].weights, **(weights or {}))
    return replace(PRESETS[preset], weights=weighed, **changes)
