"""Distances of the faces of swaps to those of their donors: AKD by landmarks, AED by face codes."""

from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from s3vae.evaluation.label_free import Compared, mean
from s3vae.evaluation.pictures import Clips
from s3vae.evaluation.protocol import Scores
from s3vae.progress import LOG
from s3vae.signals.detectors import DlibDetector, as_rgb, dlib_model

FRAMES = 4
"""Frames of a clip in which a face is looked for; its code is that of the first one found."""
HEIGHT = 256
"""Frames are enlarged to about this height."""
RESNET, DIMENSIONS = "dlib_face_recognition_resnet_model_v1.dat", 128


class Faces(NamedTuple):
    """Landmarks (pixels) of some frames of each clip, where found; the face code, or NaN."""

    points: Float[ndarray, "clip frame 68 2"]
    found: Bool[ndarray, "clip frame"]
    code: Float[ndarray, "clip 128"]


class FaceReader:
    """dlib's detector, landmarks and face recognition network.

    Raises ImportError, which names the packages to install, if dlib or its models are missing.
    """

    def __init__(self, height: int) -> None:
        self.enlarge = max(1, HEIGHT // height)
        self.detect = DlibDetector(self.enlarge)
        import dlib

        self.dlib = dlib
        self.network = dlib.face_recognition_model_v1(str(dlib_model().with_name(RESNET)))

    def __call__(self, clips: Clips) -> Faces:
        """Return the faces of each clip."""
        chosen = np.unique(np.linspace(0, clips.shape[1] - 1, FRAMES).round().astype(int))
        rows = []
        for clip in clips[:, chosen]:
            (points,), (found,) = self.detect(clip)
            code = np.full(DIMENSIONS, np.nan)
            if found.any():
                first = int(found.argmax())
                code = self._code(as_rgb(clip)[first], points[first])
            rows.append((points, found, code))
        return Faces(*(np.stack(each) for each in zip(*rows, strict=True)))

    def _code(self, frame: ndarray, points: Float[ndarray, "68 2"]) -> Float[ndarray, " 128"]:
        large = cv2.resize(
            frame, None, fx=self.enlarge, fy=self.enlarge, interpolation=cv2.INTER_CUBIC
        )
        corners = ((points + 0.5) * self.enlarge - 0.5).round().astype(int).tolist()
        whole = self.dlib.rectangle(0, 0, large.shape[1], large.shape[0])
        shape = self.dlib.full_object_detection(whole, [self.dlib.point(*each) for each in corners])
        return np.array(self.network.compute_face_descriptor(large, shape))


def akd(faces: Faces, others: Faces) -> float:
    """Return the mean distance of landmarks, over the frames of both with a face."""
    distance = np.linalg.norm(faces.points - others.points, axis=-1)
    return mean(distance[faces.found & others.found])


def motion_akd(faces: Faces, others: Faces) -> float:
    """Return the mean distance of how landmarks move: each less its mean over the frames.

    Unlike AKD it does not depend on the shape and place of a face, which belong to its appearance.
    Clips count in which both have a face in every frame.
    """
    whole = (faces.found & others.found).all(axis=1)
    one, other = (
        each.points[whole] - each.points[whole].mean(axis=1, keepdims=True)
        for each in (faces, others)
    )
    return mean(np.linalg.norm(one - other, axis=-1))


def aed(faces: Faces, others: Faces) -> float:
    """Return the mean distance of face codes, over the clips of both with a face."""
    distance = code_distance(faces, others)
    return mean(distance[np.isfinite(distance)])


def code_distance(faces: Faces, others: Faces) -> Float[ndarray, " clip"]:
    """Return the distance of the face codes of each clip, NaN without a face."""
    return np.asarray(np.linalg.norm(faces.code - others.code, axis=-1))


def face_scores(frames: Compared) -> Scores:
    """Return AKD and AED with their references, and the shares of right and of found faces.

    Without dlib there are none.
    """
    try:
        faces = frames.mapped(FaceReader(frames.real.shape[2]))
    except ImportError as error:
        LOG.warning("AKD and AED are left out: %s", error)
        return {}
    static, dynamic = (
        code_distance(faces.swaps, faces.real_at(rows))
        for rows in (faces.donors.static, faces.donors.dynamic)
    )
    known = np.isfinite(static + dynamic)
    return {
        **faces.scores("akd", akd, "dynamic"),
        **faces.scores("akd_motion", motion_akd, "dynamic"),
        **faces.scores("aed", aed, "static"),
        "aed_nearer": mean((static < dynamic)[known]),
        "faces_found": float(faces.swaps.found.mean()),
    }
