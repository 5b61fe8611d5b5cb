"""The settings of a shared model, and the models that come with this package; without PyTorch."""

import json
from pathlib import Path
from typing import Any

from s3vae.model.architecture import ARCHITECTURE

CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"
FORMAT = 1
"""The version of the layout; a larger one is of later code."""
KEYS = {"architecture", "clips", "sha256", "facts"}
ZOO = Path(__file__).parent.parent / "zoo"
"""The folder of the models that come with this package."""


class PackageError(ValueError):
    """A folder that is no model that this version can read."""


def zoo_names() -> list[str]:
    """Return the names of the models that come with this package."""
    return sorted(path.parent.name for path in ZOO.glob(f"*/{CONFIG}"))


def read_config(folder: Path) -> dict[str, Any]:
    """Read the settings of a shared model. Raises PackageError."""
    path = folder / CONFIG
    try:
        config: dict[str, Any] = json.loads(path.read_text())
        version = int(config["format"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PackageError(
            f"{folder} holds no model: neither {ARCHITECTURE} of a pipeline nor {CONFIG} of a "
            "shared model can be read"
        ) from error
    if version > FORMAT:
        raise PackageError(
            f"{path} has format {version}, and this version of s3vae reads up to {FORMAT}: "
            "pip install --upgrade s3vae"
        )
    if missing := KEYS - config.keys():
        raise PackageError(f"{path} has no {', '.join(sorted(missing))}: download the model again")
    return config
