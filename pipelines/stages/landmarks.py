"""Stage `landmarks`: detect the facial landmarks of every frame and measure lids and lips."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipelines.checks import checked_section
from pipelines.cli import feature_arguments
from pipelines.downloads import fetch_files
from pipelines.io import write_json
from pipelines.paths import RAW, Layout
from pipelines.shards import in_shards
from pipelines.stages.landmark_backends import landmark_source, weights_of
from s3vae.data.clips import ClipFile
from s3vae.signals.agreement import landmark_scores
from s3vae.signals.detectors import LandmarkSettings, require_faces
from s3vae.signals.landmark_file import LandmarkSignal, read_landmarks, write_landmarks
from s3vae.signals.landmark_picture import draw_landmarks

CLIPS_DRAWN = 4


def landmarks(name: str, clips_path: Path, settings: LandmarkSettings, target: Path) -> None:
    """Write the landmarks of all clips.

    Raises DownloadError, and TooFewFacesError, with shards kept, if too many clips are dropped.
    """
    clips = ClipFile(clips_path.resolve())
    parameters, raw = dataclasses.asdict(settings), RAW.resolve()
    fetch_files(f"landmarks {name}", weights_of(settings.backend), raw)
    landmark_source(name, clips.path, clips.sha256, settings, raw)  # raises before work begins
    # independent of the limits on gaps, so that a change of them detects no face again
    unfilled = {"backend": parameters["backend"], "longest_gap": clips.time}

    def make(shard: Sequence[int], path: Path) -> None:
        detect = landmark_source(name, clips.path, clips.sha256, settings, raw)
        write_landmarks(path, [detect(shard)], unfilled, clips.sha256)

    with in_shards("landmarks", name, clips, unfilled, make, read_landmarks) as parts:
        require_faces(clips_path, np.concatenate([part.found for part in parts]), settings)
        write_landmarks(target, parts, parameters, clips.sha256)


def report(clips_path: Path, signal_path: Path, folder: Path) -> None:
    """Write the scores of the landmarks, and a picture of some clips with them."""
    clips, signal = ClipFile(clips_path), LandmarkSignal(signal_path)
    write_json(folder / "landmarks.json", landmark_scores(signal, clips.landmarks))
    drawn = np.unique(np.linspace(0, clips.clips - 1, CLIPS_DRAWN).astype(int))
    frames, path = clips.frames(drawn), folder / "landmarks.png"
    draw_landmarks(path, frames, signal.points[drawn], signal.found[drawn])


if __name__ == "__main__":
    (dataset,) = feature_arguments("dataset")
    files = Layout(dataset)
    asked = checked_section(LandmarkSettings, dataset, "landmarks")
    landmarks(dataset, files.clips, asked, files.landmarks)
    report(files.clips, files.landmarks, files.results)
