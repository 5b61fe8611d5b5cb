"""Any trained model on disk: a sequential VAE, or a baseline that has a file of its own."""

import json
from pathlib import Path

import torch

from s3vae.baselines.mocogan.generator import Categories, MoCoGAN
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE
from s3vae.model.saved import ARCHITECTURE, load_s3vae, read_architecture, save_module
from s3vae.weights import load_weights

CATEGORIES = "categories.json"
"""The file that only MoCoGAN has."""
Model = S3VAE | MoCoGAN


def save_model(model: Model, folder: Path, snapshots: Path | None = None) -> None:
    """Write a model's folder, whole or not at all, with a copy of the folder of snapshots."""
    sizes: dict[str, Architecture | Categories] = {ARCHITECTURE: model.architecture}
    if isinstance(model, MoCoGAN):
        sizes[CATEGORIES] = model.categories
    save_module(model, sizes, folder, snapshots)


def load_model(folder: Path, device: torch.device) -> Model:
    """Load a model in eval mode. Raises FileNotFoundError if none is there."""
    path = folder / CATEGORIES
    if not path.exists():
        return load_s3vae(folder, device)
    architecture = read_architecture(folder)
    model = MoCoGAN(architecture, Categories(**json.loads(path.read_text())))
    load_weights(model, folder)
    return model.to(device).eval()
