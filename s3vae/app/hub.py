"""Models of the Hugging Face hub."""

import tempfile
from pathlib import Path
from typing import Any

import torch

from s3vae.app.config import CARD, CONFIG, WEIGHTS
from s3vae.app.package import read_package, trained_card, write_package

TIMEOUT = 5.0
"""Seconds after which a hub that does not answer is given up."""


def download(name: str) -> Path:
    """Return the folder of a model `OWNER/MODEL`. Raises ImportError or ConnectionError."""
    hub = _hub()
    try:
        files = [CONFIG, WEIGHTS, CARD]
        return Path(hub.snapshot_download(name, etag_timeout=TIMEOUT, allow_patterns=files))
    except _network_errors(hub) as error:
        raise ConnectionError(
            f"{name} cannot be downloaded from the hub, and is not in its cache "
            f"({type(error).__name__}): check the name and the network"
        ) from error


def upload(folder: Path, name: str) -> str:
    """Upload a model as `OWNER/MODEL`, and return its address; needs a login (`hf auth login`).

    A model that a pipeline trained is first written as a shared one. Raises ImportError,
    ConnectionError, or PackageError if the folder holds no model.
    """
    hub = _hub()
    package = read_package(folder, torch.device("cpu"))
    with tempfile.TemporaryDirectory() as temporary:
        if not (folder / CONFIG).exists():
            folder = Path(temporary) / "model"
            write_package(folder, package, trained_card(name), half=False)
        try:
            hub.create_repo(name, exist_ok=True)
            return str(hub.upload_folder(repo_id=name, folder_path=folder))
        except _network_errors(hub) as error:
            raise ConnectionError(
                f"{name} cannot be uploaded ({type(error).__name__}): check the network, and log "
                "in by `hf auth login`"
            ) from error


def _network_errors(hub: Any) -> tuple[type[Exception], ...]:
    """Return the errors of the hub: OSError, and the `HTTPError` of its HTTP library."""
    bases = hub.errors.HfHubHTTPError.__mro__
    return OSError, *(each for each in bases if each.__name__ == "HTTPError")


def _hub() -> Any:
    try:
        import huggingface_hub
        import huggingface_hub.errors
    except ImportError:
        raise ImportError("models of the hub need: pip install 's3vae[hub]'") from None
    return huggingface_hub
