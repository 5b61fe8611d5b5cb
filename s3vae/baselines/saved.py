"""Any trained model on disk: a sequential VAE or a baseline."""

from pathlib import Path
from typing import Any

import torch

from s3vae.baselines.catalogue import BASELINES
from s3vae.model.saved import load_s3vae, save_module


def save_model(model: Any, folder: Path, snapshots: Path | None = None) -> None:
    """Write a model's folder, whole or not at all, with a copy of the folder of snapshots."""
    save_module(model, model.sizes(), folder, snapshots)


def load_model(folder: Path, device: torch.device) -> Any:
    """Load a model in eval mode. Raises FileNotFoundError if none is there."""
    for baseline in BASELINES:
        if (folder / baseline.file).exists():
            return baseline.load(folder, device)
    return load_s3vae(folder, device)
