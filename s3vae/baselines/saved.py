"""Trained models of any kind on disk: sequential VAEs and baselines."""

from pathlib import Path

import torch
from torch import nn

from s3vae.baselines.catalogue import BASELINES
from s3vae.baselines.interface import CategoricalGenerator
from s3vae.data.preparation import PREPARATION, Preparation
from s3vae.model.s3vae import S3VAE
from s3vae.model.saved import load_s3vae, save_module

Model = S3VAE | CategoricalGenerator


def save_model(
    model: Model,
    folder: Path,
    snapshots: Path | None = None,
    preparation: Preparation | None = None,
) -> None:
    """Replace a model's folder as a whole, with a copy of the folder of snapshots."""
    assert isinstance(model, nn.Module)
    beside = {} if preparation is None else {PREPARATION: preparation}
    save_module(model, {**model.sizes(), **beside}, folder, snapshots)


def load_model(folder: Path, device: torch.device) -> Model:
    """Load a model in eval mode. Raises FileNotFoundError if there is none."""
    for baseline in BASELINES:
        if (folder / baseline.file).exists():
            return baseline.load(folder, device)
    return load_s3vae(folder, device)
