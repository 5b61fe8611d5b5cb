"""Draw the landmarks that dlib finds in a video, and log the share of frames with a face.

`python -m pipelines.tools.follow_face VIDEO PICTURE`.
"""

from pathlib import Path

import numpy as np

from pipelines.cli import arguments
from s3vae.data.media import frames_of
from s3vae.progress import LOG
from s3vae.signals.detectors import Dlib, DlibDetector
from s3vae.signals.landmark_picture import draw_landmarks


def follow_face(video: Path, picture: Path) -> float:
    """Draw the landmarks of a video file; return the share of frames with a face."""
    frames = np.stack(list(frames_of(video)))
    landmarks = DlibDetector(Dlib().enlarge)(frames)
    draw_landmarks(picture, [frames], list(landmarks.points), list(landmarks.found))
    share = float(landmarks.found.mean())
    LOG.info("%s: a face in %.1f %% of %d frames", video, 100 * share, len(frames))
    return share


if __name__ == "__main__":
    follow_face(*(Path(each) for each in arguments("video", "picture")))
