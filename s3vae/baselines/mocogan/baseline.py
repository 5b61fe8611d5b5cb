"""MoCoGAN as a baseline: its settings, its objective for a data set, its models on disk."""

import dataclasses
import json
from pathlib import Path
from typing import Literal

import torch
from pydantic.dataclasses import dataclass

from s3vae.baselines.interface import Baseline, Categories
from s3vae.baselines.mocogan.generator import CATEGORIES, MoCoGAN
from s3vae.baselines.mocogan.objective import AdversarialObjective, AdversarialSettings
from s3vae.data.clips import ClipFile
from s3vae.engine.parallel import world_size
from s3vae.engine.schedule import TrainingSettings
from s3vae.model.architecture import PresetArchitecture
from s3vae.model.saved import read_architecture
from s3vae.settings import STRICT
from s3vae.weights import load_weights


@dataclass(frozen=True, config=STRICT)
class MoCoGANMethod:
    """MoCoGAN in a config, with `adversarial` instead of the `losses` of sequential VAEs.

    Of the architecture it has the decoder, its width and normalization, `recurrent` (of the GRU),
    `static` and `dynamic`.
    """

    architecture: PresetArchitecture
    adversarial: AdversarialSettings
    training: TrainingSettings

    def __post_init__(self) -> None:
        """Raise ValueError for settings of a training that adversaries do not follow."""
        if self.training.accelerated or self.training.patience is not None:
            msg = (
                "adversarial losses show no end of a training, and are in single precision: remove "
                "`patience` and `accelerated` from `training` of this method"
            )
            raise ValueError(msg)


def objective_of(method: MoCoGANMethod, clips: ClipFile) -> AdversarialObjective:
    """Return a new generator and discriminators for a clip file.

    They are conditioned on the dynamic factors, or on the static ones if none is dynamic. Raises
    ValueError if the clips have no labels, or frames that are not 64x64.
    """
    if not clips.factors:
        msg = f"{clips.path} has no labels, on which MoCoGAN is conditioned: use another method"
        raise ValueError(msg)
    if (clips.height, clips.width) != (64, 64):
        msg = (
            f"{clips.path} has frames of {clips.height}x{clips.width}, but MoCoGAN is for 64x64: "
            "use another method, or make clips of 64x64"
        )
        raise ValueError(msg)
    if method.adversarial.categories_first and world_size() > 1:
        msg = "`adversarial.categories_first` is for one process: unset S3VAE_TRAINERS"
        raise ValueError(msg)
    kind: Literal["static", "dynamic"] = "dynamic" if clips.dynamic_factors else "static"
    values = {factor.name: len(factor.values) for factor in clips.factors if factor.kind == kind}
    sizes = dataclasses.replace(method.architecture, channels=clips.channels)
    model = MoCoGAN(sizes, Categories(kind, values))
    return AdversarialObjective(model, method.adversarial, clips.time)


def load_mocogan(folder: Path, device: torch.device) -> MoCoGAN:
    """Load a generator in eval mode."""
    categories = Categories(**json.loads((folder / CATEGORIES).read_text()))
    model = MoCoGAN(read_architecture(folder), categories)
    load_weights(model, folder)
    return model.to(device).eval()


MOCOGAN = Baseline(
    section="adversarial",
    method=MoCoGANMethod,
    objective=objective_of,
    file=CATEGORIES,
    load=load_mocogan,
)
