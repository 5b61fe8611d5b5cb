"""Show the explorer: write its page and open it in a browser, or serve it."""

import os
import sys
import tempfile
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from s3vae.app.explorer.page import Held, clips_to_hold, page_of
from s3vae.app.film import OutputError
from s3vae.app.model import VideoModel
from s3vae.app.strangers import EncodedVideo, adapted_if_strange
from s3vae.files import replacing
from s3vae.progress import LOG


def explore(
    model: VideoModel, videos: Sequence[Path], output: Path | None, adapt: int | None = None
) -> None:
    """Write the page of a model, by default to a temporary folder, and open it.

    Before, the model is adapted to videos that it knows badly (`adapted_if_strange`).

    The page of a model that ONNX cannot express is served on this machine until Ctrl-C. Raises
    OutputError if such a page is to be written, and ImportError without `s3vae[export]`.
    """
    name = model.preparation.dataset
    served = model.model.architecture.encoder == "objects"
    if served and output is not None:
        raise OutputError(f"{name} needs PyTorch, which a page cannot hold: leave out -o")
    if served:
        from s3vae.app.explorer.server import require_packages, serve
    else:
        from s3vae.export.onnx_files import require_packages
    require_packages()
    clips, known = clips_to_hold(model, videos), model
    if videos:
        model = adapted_if_strange(known, [_encoded(known, clip) for clip in clips], adapt)
    page = page_of(model, name, clips, served=served, adapted=model is not known)
    if served:
        serve(model, page)
        return
    path = output or Path(tempfile.mkdtemp(prefix="s3vae-")) / "explorer.html"
    with replacing(path) as aside:
        aside.write_text(page)
    LOG.info("%s: %.1f MB", path, path.stat().st_size / 1e6)
    open_in_browser(path.absolute().as_uri())


def _encoded(model: VideoModel, clip: Held) -> EncodedVideo:
    recording = model.open(clip.frames)
    return EncodedVideo(clip.name, recording, model.encode(recording))


def open_in_browser(address: str) -> None:
    """Open an address, or log it where there is no display."""
    displays = "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ
    if (sys.platform == "linux" and not displays) or not webbrowser.open(address):
        LOG.info("open %s in a browser", address)
