"""A model on disk: weights as safetensors and the architecture beside them."""

import dataclasses
import json
from pathlib import Path

import torch

from s3vae.files import replacing
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE
from s3vae.weights import load_weights, save_weights

ARCHITECTURE = "architecture.json"


def save_model(model: S3VAE, folder: Path) -> None:
    """Write a model's folder, whole or not at all."""
    with replacing(folder) as aside:
        aside.mkdir()
        save_weights(model, aside)
        content = json.dumps(dataclasses.asdict(model.architecture), indent=2)
        (aside / ARCHITECTURE).write_text(content + "\n")


def load_model(folder: Path, device: torch.device) -> S3VAE:
    """The model of a folder, in eval mode. Raises FileNotFoundError if none is there."""
    path = folder / ARCHITECTURE
    if not path.exists():
        msg = f"{path} is not there: train the model (dvc repro) or fetch it (dvc pull)"
        raise FileNotFoundError(msg)
    model = S3VAE(Architecture(**json.loads(path.read_text())))
    load_weights(model, folder)
    return model.to(device).eval()
