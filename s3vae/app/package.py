"""A model as one folder to share, in the layout of model hubs: settings, weights and a card."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from torch import Tensor

from s3vae.app.config import CARD, CONFIG, FORMAT, WEIGHTS, PackageError, read_config
from s3vae.data.preparation import PREPARATION, Preparation
from s3vae.files import checksum_of, replacing
from s3vae.model.architecture import ARCHITECTURE, Architecture
from s3vae.model.s3vae import S3VAE
from s3vae.model.saved import fill, load_s3vae


@dataclass(frozen=True)
class Package:
    """A model, the cut of its clips, and facts about it such as its scores."""

    model: S3VAE
    preparation: Preparation
    facts: Mapping[str, Any] = field(default_factory=dict)


def write_package(folder: Path, package: Package, card: str, *, half: bool) -> None:
    """Write a folder of settings, weights and card, or nothing.

    With `half`, parameters are stored in half precision. Buffers never are: the running variances
    of batch normalization may exceed its range.
    """
    weights = stored(package.model, half=half)
    with replacing(folder) as aside:
        aside.mkdir()
        save_file(weights, aside / WEIGHTS)
        config = {
            "format": FORMAT,
            "model_type": "s3vae",
            "architecture": dataclasses.asdict(package.model.architecture),
            "clips": dataclasses.asdict(package.preparation),
            "sha256": checksum_of(aside / WEIGHTS),
            "facts": package.facts,
        }
        (aside / CONFIG).write_text(json.dumps(config, indent=2) + "\n")
        (aside / CARD).write_text(card)


def stored(model: S3VAE, *, half: bool) -> dict[str, Tensor]:
    """Return the weights of a model as a shared folder stores them."""
    rounded = {name for name, _ in model.named_parameters()} if half else set()
    return {
        name: (each.half() if name in rounded else each).detach().cpu().contiguous()
        for name, each in sorted(model.state_dict().items())
    }


def read_package(folder: Path, device: torch.device) -> Package:
    """Load a shared model, or one that a pipeline trained. Raises PackageError.

    Weights of half precision are computed with in single precision.
    """
    if (folder / ARCHITECTURE).exists():
        return _trained(folder, device)
    config = read_config(folder)
    path = folder / WEIGHTS
    if not path.exists() or checksum_of(path) != config["sha256"]:
        raise PackageError(f"{path} is missing or damaged: download the model again")
    try:
        model = S3VAE(Architecture(**config["architecture"]))
        preparation = Preparation(**config["clips"])
        fill(model, load_file(path))  # copies into parameters of single precision
    except (ValidationError, TypeError, RuntimeError) as error:
        raise PackageError(
            f"{folder} is no model of this version: train it again, or download it: {error}"
        ) from error
    return Package(model.to(device).eval(), preparation, config["facts"])


def trained_card(name: str) -> str:
    """Return the card of a model of one's own, about which nothing is known here."""
    return f"""---
library_name: s3vae
tags: [video, disentanglement, variational-autoencoder]
---

# {name}

A sequential VAE that separates the appearance and the motion of a video.

    s3vae swap APPEARANCE MOTION -o swap.mp4 --model {name}
"""


def _trained(folder: Path, device: torch.device) -> Package:
    """Load a model from the folder in which a pipeline trained it."""
    try:
        model = load_s3vae(folder, device)
    except (ValidationError, TypeError, RuntimeError, FileNotFoundError) as error:
        raise PackageError(f"{folder} cannot be read as a model: {error}") from error
    path = folder / PREPARATION
    made = Preparation(**json.loads(path.read_text())) if path.exists() else Preparation()
    return Package(model, made)
