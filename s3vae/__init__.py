"""S3VAE: a static code of appearance and dynamic codes of motion, learned from unlabelled video."""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from s3vae.app.codes import Codes as Codes
    from s3vae.app.film import save as save
    from s3vae.app.load import load as load
    from s3vae.app.model import VideoModel as VideoModel


try:
    __version__ = version("s3vae")
except PackageNotFoundError:  # not installed
    __version__ = "unknown"
PUBLIC = {"Codes": "codes", "VideoModel": "model", "load": "load", "save": "film"}
"""The names of the library, and the module of s3vae.app that has each."""


def __getattr__(name: str) -> Any:
    """Import a name of the library: PyTorch takes seconds, for which help need not wait."""
    if name not in PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"s3vae.app.{PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    """Return the names of the library."""
    return sorted([*PUBLIC, "__version__"])
