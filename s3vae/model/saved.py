"""A model on disk: weights as safetensors and the architecture beside them.

A generator without an encoder (MoCoGAN) has a file on its categories too, which tells it apart.
"""

import dataclasses
import json
import shutil
from pathlib import Path

import torch

from s3vae.files import replacing
from s3vae.model.architecture import Architecture
from s3vae.model.mocogan import Categories, MoCoGAN
from s3vae.model.s3vae import S3VAE
from s3vae.weights import load_weights, save_weights

ARCHITECTURE, CATEGORIES, SNAPSHOTS = "architecture.json", "categories.json", "snapshots"
Model = S3VAE | MoCoGAN


def save_model(model: Model, folder: Path, snapshots: Path | None = None) -> None:
    """Write a model's folder, whole or not at all, with a copy of the folder of earlier states."""
    with replacing(folder) as aside:
        aside.mkdir()
        save_weights(model, aside)
        _write(aside / ARCHITECTURE, model.architecture)
        if isinstance(model, MoCoGAN):
            _write(aside / CATEGORIES, model.categories)
        if snapshots is not None and snapshots.exists():
            shutil.copytree(snapshots, aside / SNAPSHOTS)


def snapshots_of(folder: Path) -> dict[int, Path]:
    """The folders of a model's earlier states, by the number of steps taken."""
    return {int(path.name): path for path in sorted((folder / SNAPSHOTS).glob("*"))}


def load_model(folder: Path, device: torch.device) -> Model:
    """The model of a folder, in eval mode. Raises FileNotFoundError if none is there."""
    path = folder / ARCHITECTURE
    if not path.exists():
        msg = f"{path} is not there: train the model (dvc repro) or fetch it (dvc pull)"
        raise FileNotFoundError(msg)
    sizes = Architecture(**json.loads(path.read_text()))
    told = folder / CATEGORIES
    model: Model
    if told.exists():
        model = MoCoGAN(sizes, Categories(**json.loads(told.read_text())))
    else:
        model = S3VAE(sizes)
    load_weights(model, folder)
    return model.to(device).eval()


def load_s3vae(folder: Path, device: torch.device) -> S3VAE:
    """The sequential VAE of a folder, in eval mode. Raises TypeError if it is a generator's."""
    model = load_model(folder, device)
    if not isinstance(model, S3VAE):
        msg = f"{folder} holds a generator without an encoder: load it with load_model"
        raise TypeError(msg)
    return model


def _write(path: Path, sizes: Architecture | Categories) -> None:
    path.write_text(json.dumps(dataclasses.asdict(sizes), indent=2) + "\n")
