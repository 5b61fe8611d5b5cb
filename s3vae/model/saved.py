"""A model on disk: its weights as safetensors, and its architecture as JSON."""

import dataclasses
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from s3vae.files import replacing
from s3vae.model.architecture import ARCHITECTURE, Architecture
from s3vae.model.s3vae import S3VAE
from s3vae.model.static_prior import StaticPrior
from s3vae.weights import read_weights, save_weights

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

SNAPSHOTS = "snapshots"


def save_module(
    module: nn.Module,
    sizes: Mapping[str, "DataclassInstance"],
    folder: Path,
    snapshots: Path | None = None,
) -> None:
    """Write weights, one JSON file per entry of `sizes`, and a copy of the folder of snapshots.

    The folder is either written completely or left as it was.
    """
    with replacing(folder) as aside:
        aside.mkdir()
        save_weights(module, aside)
        for name, settings in sizes.items():
            (aside / name).write_text(json.dumps(dataclasses.asdict(settings), indent=2) + "\n")
        if snapshots is not None and snapshots.exists():
            shutil.copytree(snapshots, aside / SNAPSHOTS)


def snapshots_of(folder: Path) -> dict[int, Path]:
    """Return the folders of a model's snapshots by their number of training steps."""
    return {int(path.name): path for path in sorted((folder / SNAPSHOTS).glob("*"))}


def read_architecture(folder: Path) -> Architecture:
    """Read the architecture of a saved model. Raises FileNotFoundError if there is none."""
    path = folder / ARCHITECTURE
    if not path.exists():
        msg = f"{path} does not exist: train the model (dvc repro) or download it (dvc pull)"
        raise FileNotFoundError(msg)
    return Architecture(**json.loads(path.read_text()))


def load_s3vae(folder: Path, device: torch.device) -> S3VAE:
    """Load a sequential VAE in eval mode. Raises FileNotFoundError if there is none."""
    model = S3VAE(read_architecture(folder))
    fill(model, read_weights(folder))
    return model.to(device).eval()


def fill(model: S3VAE, weights: Mapping[str, Tensor]) -> None:
    """Load weights, those of a learned prior of appearance among them if there is one."""
    sizes: list[tuple[int, int]] = []
    while (means := weights.get(f"static_prior.parts.{len(sizes)}.means")) is not None:
        sizes.append((means.shape[0], means.shape[1]))
    if sizes:
        model.static_prior = StaticPrior(model.architecture.static, sizes)
    model.load_state_dict(weights)
