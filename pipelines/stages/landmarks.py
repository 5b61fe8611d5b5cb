"""Stage `landmarks`: the facial landmarks of every frame, and the distances of lids and lips."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipelines.cli import feature_arguments
from pipelines.io import write_json
from pipelines.params import section
from pipelines.paths import RAW, Layout
from pipelines.shards import in_shards
from pipelines.stages.landmark_backends import fetch_weights, finder
from pipelines.stages.landmark_picture import draw_landmarks
from s3vae.data.clips import ClipFile
from s3vae.progress import LOG
from s3vae.signals.detectors import LandmarkSettings
from s3vae.signals.landmark_file import LandmarkSignal, write_landmarks
from s3vae.signals.landmarks import DISTANCES, Landmarks, distances, without_gaps

PICTURED = 4
"""How many clips are drawn with their landmarks."""


class TooFewFacesError(RuntimeError):
    """More clips were lost than the settings allow."""


def landmarks(name: str, clips_path: Path, settings: LandmarkSettings, target: Path) -> None:
    """The landmarks of all clips.

    Raises TooFewFacesError, with the counts, if too many clips are lost; what was found is kept.
    """
    clips = ClipFile(clips_path.resolve())
    parameters, raw = dataclasses.asdict(settings), RAW.resolve()
    fetch_weights(name, settings, raw)
    finder(name, clips.path, clips.sha256, settings, raw)  # what it lacks is told beforehand

    # what was found is kept whatever is thought of gaps: that may be changed and is asked again
    of_shards = {"backend": parameters["backend"], "longest_gap": clips.time}

    def make(shard: Sequence[int], path: Path) -> None:
        found_in = finder(name, clips.path, clips.sha256, settings, raw)
        write_landmarks(path, [found_in(shard)], of_shards, clips.sha256)

    def read(path: Path) -> Landmarks:
        signal = LandmarkSignal(path)
        return Landmarks(signal.points, signal.found)

    with in_shards("landmarks", name, clips, of_shards, make, read) as found:
        require_faces(clips_path, found, settings)
        write_landmarks(target, found, parameters, clips.sha256)


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
    (chosen,) = feature_arguments("dataset")
    files = Layout(chosen)
    asked = section(LandmarkSettings, chosen, "landmarks")
    landmarks(chosen, files.clips, asked, files.landmarks)
    score(files.clips, files.landmarks, files.results / "landmarks.json")
    picture(files.clips, files.landmarks, files.results / "landmarks.png")
