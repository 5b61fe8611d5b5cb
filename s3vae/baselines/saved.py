"""Any trained model on disk: a sequential VAE or a baseline."""

from pathlib import Path

import torch
from torch import nn

from s3vae.baselines.catalogue import BASELINES
from s3vae.baselines.interface import CategoricalGenerator
from s3vae.model.s3vae import S3VAE
from s3vae.model.saved import load_s3vae, save_module

Model = S3VAE | CategoricalGenerator


def save_model(model: Model, folder: Path, snapshots: Path | None = None) -> None:
    """Write a model's folder, whole or not at all, with a copy of the folder of snapshots."""
    assert isinstance(model, nn.Module)
    save_module(model, model.sizes(), folder, snapshots)


def load_model(folder: Path, device: torch.device) -> Model:
    """Load a model in eval mode. Raises FileNotFoundError if none is there."""
    for baseline in BASELINES:
        if (folder / baseline.file).exists():
            return baseline.load(folder, device)
    return load_s3vae(folder, device)
