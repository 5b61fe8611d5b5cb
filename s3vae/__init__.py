"""S3VAE: a static code of appearance and dynamic codes of motion, learned from unlabelled video."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from s3vae.app.load import load as load
    from s3vae.app.model import Codes as Codes
    from s3vae.app.model import VideoModel as VideoModel


def __getattr__(name: str) -> Any:
    """Import what is asked for: PyTorch takes seconds, which `s3vae --help` need not wait for."""
    if name == "load":
        from s3vae.app.load import load

        return load
    if name in ("Codes", "VideoModel"):
        from s3vae.app import model

        return getattr(model, name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
