"""Draw the landmarks that dlib finds in a video.

`python -m pipelines.tools.follow_face VIDEO PICTURE` says in how many frames it found a face.
"""

from pathlib import Path

import numpy as np

from pipelines.cli import arguments
from s3vae.data.footage import frames_of
from s3vae.progress import LOG
from s3vae.signals.detectors import Dlib, DlibDetector
from s3vae.signals.landmark_picture import draw_landmarks


def follow_face(video: Path, picture: Path) -> float:
    """Draw what is found in a video file; the share of frames with a face."""
    frames = np.stack(list(frames_of(video)))
    followed = DlibDetector(Dlib().enlarge)(frames)
    draw_landmarks(picture, [frames], list(followed.points), list(followed.found))
    share = float(followed.found.mean())
    LOG.info("%s: a face in %.1f %% of %d frames", video, 100 * share, len(frames))
    return share


if __name__ == "__main__":
    follow_face(*(Path(each) for each in arguments("video", "picture")))
