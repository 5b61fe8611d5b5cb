"""The back end that finds landmarks, made ready from its settings: weights at hand, loaded once."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from pipelines.downloads import fetch_files
from s3vae.data.clips import ClipFile
from s3vae.data.download import RemoteFile
from s3vae.signals.detectors import (
    Dlib,
    DlibDetector,
    FaceAlignment,
    FaceAlignmentDetector,
    FromClips,
    LandmarkSettings,
    clips_landmarks,
)
from s3vae.signals.landmarks import Landmarks

WEIGHTS = Path("face-alignment")
SITE = "https://www.adrianbulat.com/downloads/python-fan"
FAN = RemoteFile(
    f"{WEIGHTS}/checkpoints/2DFAN4-11f355bf06.pth.tar",
    "11f355bf0693120222f5955ce3f9dc8fb5763ebb30a47d7906e509490d32e4aa",
    (f"{SITE}/2DFAN4-11f355bf06.pth.tar",),
)
SFD = RemoteFile(
    f"{WEIGHTS}/checkpoints/s3fd-619a316812.pth",
    "619a31681264d3f7f7fc7a16a42cbbe8b23f31a256f75a366e5a1bcd59b33543",
    (f"{SITE}/s3fd-619a316812.pth",),
)


def fetch_weights(name: str, settings: LandmarkSettings, raw: Path) -> None:
    """See to it that the weights of the back end are in `raw`. Raises DownloadError."""
    if files := weights_of(settings.backend):
        fetch_files(f"landmarks {name}", files, raw)


def weights_of(backend: FaceAlignment | Dlib | FromClips) -> Sequence[RemoteFile]:
    """The weights that a back end needs."""
    if not isinstance(backend, FaceAlignment):
        return ()
    return (FAN, SFD) if backend.detector == "sfd" else (FAN,)


@cache
def finder(
    name: str, clips_path: Path, sha256: str, settings: LandmarkSettings, raw: Path
) -> Callable[[Sequence[int]], Landmarks]:
    """What gives the landmarks of some clips: their exact ones, or a back end that looks.

    Made once in every process that finds some of the clips with this sha256; weights are in `raw`.
    Raises ValueError if the clip file is another by now, or has no exact landmarks.
    """
    clips, backend = ClipFile(clips_path), settings.backend
    if clips.sha256 != sha256:
        msg = f"{clips_path} was made anew meanwhile: start again"
        raise ValueError(msg)
    if isinstance(backend, FromClips):
        known = clips.landmarks
        if known is None:
            msg = (
                f"{clips.path} brings no landmarks: set `backend: {{kind: dlib}}` (or "
                f"face-alignment) in datasets.{name}.landmarks of params.yaml"
            )
            raise ValueError(msg)
        return lambda shard: Landmarks(known[shard], np.ones((len(shard), clips.time), bool))
    find = DlibDetector(backend.enlarge) if isinstance(backend, Dlib) else network(backend, raw)
    return lambda shard: clips_landmarks(clips.frames(shard), find)


def network(backend: FaceAlignment, raw: Path) -> FaceAlignmentDetector:
    """The network with its weights, on the device that there is."""
    from s3vae.runtime import choose_device  # with torch, whose import takes its time

    return FaceAlignmentDetector(backend, raw / WEIGHTS, choose_device().type)
