"""Find a model by its name: of the zoo, a folder, a registry of MLflow, or a hub."""

import os
import re
from pathlib import Path

import torch

from s3vae.app.config import ZOO, zoo_names
from s3vae.app.hub import download
from s3vae.app.model import VideoModel
from s3vae.app.package import read_package
from s3vae.model.architecture import ARCHITECTURE
from s3vae.runtime import choose_device

REGISTRY = "models:/"
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def load(name: str | Path, device: str | None = None) -> VideoModel:
    """Load a model.

    `name` is a model of the zoo, a folder, `models:/NAME@champion` of MLflow's registry, or
    `OWNER/MODEL` of the Hugging Face hub. `device` is `cpu` or `cuda`; by default CUDA is used if
    it is there. Raises PackageError, FileNotFoundError, ImportError or ConnectionError.
    """
    if device not in (None, "cpu", "cuda"):
        raise ValueError(f"there is no device {device!r}: name cpu or cuda")
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("there is no CUDA here: leave out the device, or name cpu")
    chosen = choose_device() if device is None else torch.device(device)
    package = read_package(find_model(str(name)), chosen)
    return VideoModel(package.model, package.preparation, package.facts.get("parts", ()))


def find_model(name: str) -> Path:
    """Return the folder of a model, which is downloaded if it is in a registry or on a hub."""
    if name in zoo_names():
        return ZOO / name
    if Path(name).is_dir():
        return Path(name)
    if name.startswith(REGISTRY):
        return _of_registry(name)
    owner = Path(name.split("/")[0])
    if HUB_ID.fullmatch(name) and not owner.exists():
        return download(name)
    raise FileNotFoundError(
        f"there is no model {name!r}: name one of {', '.join(zoo_names()) or 'no zoo'}, a folder, "
        f"{REGISTRY}NAME@champion, or OWNER/MODEL of the hub"
    )


def _of_registry(name: str) -> Path:
    try:
        from mlflow.artifacts import download_artifacts
        from mlflow.exceptions import MlflowException
    except ImportError:
        raise ImportError("MLflow's registry needs: pip install 's3vae[pipeline]'") from None
    if not os.environ.get("MLFLOW_TRACKING_URI") and not Path("mlflow.db").exists():
        raise FileNotFoundError(
            f"{name}: this folder has no mlflow.db, and MLFLOW_TRACKING_URI names no other store"
        )
    try:
        downloaded = Path(download_artifacts(artifact_uri=name))
    except MlflowException as error:
        lists = "python -m pipelines.retraining.registry lists all"
        raise FileNotFoundError(f"MLflow has no model {name}: {error.message} ({lists})") from error
    found = [path.parent for path in downloaded.glob(f"artifacts/*/{ARCHITECTURE}")]
    if not found:
        raise FileNotFoundError(f"{name} is no model of this project: it has no {ARCHITECTURE}")
    return found[0]
