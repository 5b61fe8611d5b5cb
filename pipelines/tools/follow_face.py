"""Draw the landmarks that dlib finds in a video, and log the share of frames with a face.

`python -m pipelines.tools.follow_face VIDEO PICTURE`.
"""

from pathlib import Path

import numpy as np

from pipelines.cli import arguments
from s3vae.data.media import frames_of
from s3vae.progress import LOG
from s3vae.signals.detectors import Dlib, DlibDetector
from s3vae.signals.landmark_picture import draw_landmarks, drawn_frames


def follow_face(video: Path, picture: Path) -> float:
    """Draw the landmarks of a video file; return the share of frames with a face."""
    detect = DlibDetector(Dlib().enlarge)
    # the video is read twice, frame by frame: a minute of it may take 22 GB
    each = [detect(frame[None]) for frame in frames_of(video)]
    points, found = (np.concatenate(part, axis=1) for part in zip(*each, strict=True))
    drawn = drawn_frames(found.size)
    frames = {index: frame for index, frame in enumerate(frames_of(video)) if index in drawn}
    draw_landmarks(picture, [np.stack([frames[index] for index in drawn])], [*points], [*found])
    share = float(found.mean())
    LOG.info("%s: a face in %.1f %% of %d frames", video, 100 * share, found.size)
    return share


if __name__ == "__main__":
    follow_face(*(Path(each) for each in arguments("video", "picture")))
