"""The source of a data set's landmarks: its clip file, or a detector and its weights."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from s3vae.data.clips import ClipFile
from s3vae.data.download import RemoteFile
from s3vae.signals.detectors import (
    Dlib,
    DlibDetector,
    FaceAlignment,
    FromClips,
    LandmarkSettings,
    clips_landmarks,
)
from s3vae.signals.face_alignment_detector import FaceAlignmentDetector
from s3vae.signals.landmarks import Landmarks

WEIGHTS = Path("face-alignment")


def _remote(name: str, sha256: str) -> RemoteFile:
    site = "https://www.adrianbulat.com/downloads/python-fan"
    return RemoteFile(f"{WEIGHTS}/checkpoints/{name}", sha256, (f"{site}/{name}",))


FAN = _remote(
    "2DFAN4-11f355bf06.pth.tar", "11f355bf0693120222f5955ce3f9dc8fb5763ebb30a47d7906e509490d32e4aa"
)
SFD = _remote(
    "s3fd-619a316812.pth", "619a31681264d3f7f7fc7a16a42cbbe8b23f31a256f75a366e5a1bcd59b33543"
)


def weights_of(backend: FaceAlignment | Dlib | FromClips) -> Sequence[RemoteFile]:
    """Return the files of a back end's weights."""
    if not isinstance(backend, FaceAlignment):
        return ()
    return (FAN, SFD) if backend.detector == "sfd" else (FAN,)


@cache
def landmark_source(
    name: str, clips_path: Path, sha256: str, settings: LandmarkSettings, raw: Path
) -> Callable[[Sequence[int]], Landmarks]:
    """Return a function from clip indices to landmarks: exact ones, or those of a detector.

    Detectors are loaded once per process, with weights from `raw`. Raises ValueError if the clip
    file has another checksum, or if it lacks the exact landmarks that the settings require.
    """
    clips, backend = ClipFile(clips_path), settings.backend
    if clips.sha256 != sha256:
        msg = f"{clips_path} has changed since the stage started: start the stage again"
        raise ValueError(msg)
    if isinstance(backend, FromClips):
        exact = clips.landmarks
        if exact is None:
            msg = (
                f"{clips.path} has no landmarks: set `backend: {{kind: dlib}}` (or "
                f"face-alignment) in the `landmarks` section of configs/{name}.yaml"
            )
            raise ValueError(msg)
        return lambda shard: Landmarks(exact[shard], np.ones((len(shard), clips.time), bool))
    if isinstance(backend, Dlib):
        dlib = DlibDetector(backend.enlarge)
        return lambda shard: clips_landmarks(clips.frames(shard), dlib)
    from s3vae.runtime import choose_device  # imports torch, which takes seconds

    network = FaceAlignmentDetector(backend, raw / WEIGHTS, choose_device().type)
    return lambda shard: clips_landmarks(clips.frames(shard), network)
