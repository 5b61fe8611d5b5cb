"""Stage `landmarks`: the facial landmarks of every frame, and the distances of lids and lips."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from pipelines.downloads import fetch_files
from pipelines.entry import arguments
from pipelines.landmark_picture import draw_landmarks
from pipelines.layout import RAW, Layout
from pipelines.params import section
from pipelines.shards import in_shards
from pipelines.written import write_json
from s3vae.data.clips import ClipFile
from s3vae.data.download import RemoteFile
from s3vae.progress import LOG
from s3vae.signals.detectors import (
    Dlib,
    DlibDetector,
    FaceAlignment,
    FaceAlignmentDetector,
    FromClips,
    LandmarkSettings,
    clips_landmarks,
)
from s3vae.signals.landmark_store import LandmarkSignal, write_landmarks
from s3vae.signals.landmarks import DISTANCES, Landmarks, distances, without_gaps

PICTURED = 4
"""How many clips are drawn with their landmarks."""
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


class TooFewFacesError(RuntimeError):
    """More clips were lost than the settings allow."""


def landmarks(name: str, clips_path: Path, settings: LandmarkSettings, target: Path) -> None:
    """The landmarks of all clips.

    Raises TooFewFacesError, with the counts, if too many clips are lost; what was found is kept.
    """
    clips = ClipFile(clips_path)
    parameters = dataclasses.asdict(settings)
    found_in = finder(name, clips, settings)

    def make(shard: Sequence[int], path: Path) -> None:
        write_landmarks(path, [found_in(shard)], parameters, clips.sha256)

    def read(path: Path) -> Landmarks:
        signal = LandmarkSignal(path)
        return Landmarks(signal.points, signal.found)

    with in_shards("landmarks", name, clips, parameters, make, read) as found:
        require_faces(clips_path, found, settings)
        write_landmarks(target, found, parameters, clips.sha256)


def finder(
    name: str, clips: ClipFile, settings: LandmarkSettings
) -> Callable[[Sequence[int]], Landmarks]:
    """What gives the landmarks of some clips: their exact ones, or a back end that looks.

    Raises ValueError if the clip file has no exact ones, DownloadError if weights cannot be had.
    """
    backend = settings.backend
    if isinstance(backend, FromClips):
        known = clips.landmarks
        if known is None:
            msg = (
                f"{clips.path} brings no landmarks: set `backend: {{kind: dlib}}` (or "
                f"face-alignment) in datasets.{name}.landmarks of params.yaml"
            )
            raise ValueError(msg)
        return lambda shard: Landmarks(known[shard], np.ones((len(shard), clips.time), bool))
    find = DlibDetector(backend.enlarge) if isinstance(backend, Dlib) else network(name, backend)
    return lambda shard: clips_landmarks(clips.frames(shard), find)


def network(name: str, backend: FaceAlignment) -> FaceAlignmentDetector:
    """The network with its weights, on the device that there is. Raises DownloadError."""
    from s3vae.runtime import choose_device  # with torch, whose import takes its time

    files = (FAN, SFD) if backend.detector == "sfd" else (FAN,)
    fetch_files(f"landmarks {name}", files, RAW)
    return FaceAlignmentDetector(backend, RAW / WEIGHTS, choose_device().type)


def require_faces(clips_path: Path, found: Sequence[Landmarks], settings: LandmarkSettings) -> None:
    """Raise TooFewFacesError if more clips are lost than the settings allow."""
    seen = np.concatenate([each.found for each in found])
    lost = int((~without_gaps(seen, settings.longest_gap)).sum())
    if lost:
        LOG.warning(
            "landmarks: %d of %d clips are dropped: no face in more than %d frames in a row",
            lost,
            len(seen),
            settings.longest_gap,
        )
    if lost > settings.most_lost * len(seen):
        msg = (
            f"{clips_path}: {lost} of {len(seen)} clips are lost, more than most_lost "
            f"({settings.most_lost:.0%}): no face in more than {settings.longest_gap} frames in a "
            f"row; of all frames {seen.mean():.1%} have one. Frames may be too small for the back "
            "end (enlarge them), or crops may cut faces off"
        )
        raise TooFewFacesError(msg)


def score(clips_path: Path, signal_path: Path, scores_path: Path) -> None:
    """How many frames and clips have a face and, where landmarks are exactly known, the errors."""
    signal, exact = LandmarkSignal(signal_path), ClipFile(clips_path).landmarks
    scores: dict[str, float | None] = {
        "frames_with_face": float(signal.found.mean()),
        "clips_lost": float(1 - signal.whole.mean()),
    }
    if exact is not None and signal.whole.any():
        whole = signal.whole
        off = np.linalg.norm(signal.points[whole] - exact[whole], axis=-1)
        scores["landmark_error_pixels"] = float(off.mean())
        wrong = np.abs(signal.distances[whole] - distances(exact[whole])).mean(axis=(0, 1))
        scores |= {
            f"error_of_{name.replace(' ', '_')}": float(error)
            for name, error in zip(DISTANCES, wrong, strict=True)
        }
    write_json(scores_path, scores)


def picture(clips_path: Path, signal_path: Path, target: Path) -> None:
    """Some clips with their landmarks, to look at."""
    clips, signal = ClipFile(clips_path), LandmarkSignal(signal_path)
    chosen = np.unique(np.linspace(0, clips.clips - 1, PICTURED).astype(int))
    draw_landmarks(
        target, list(clips.frames(chosen)), list(signal.points[chosen]), list(signal.found[chosen])
    )


if __name__ == "__main__":
    (chosen,) = arguments("dataset")
    files = Layout(chosen)
    asked = section(LandmarkSettings, "datasets", chosen, "landmarks")
    landmarks(chosen, files.clips, asked, files.landmarks)
    score(files.clips, files.landmarks, files.results / "landmarks.json")
    picture(files.clips, files.landmarks, files.results / "landmarks.png")
