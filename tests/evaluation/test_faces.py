"""AKD and AED of drawn people, whose swaps are known."""

import numpy as np
import pytest
from numpy import ndarray

from s3vae.data.faces.expressions import APEX
from s3vae.data.faces.faces import traits
from s3vae.data.faces.geometry import Pose
from s3vae.data.faces.portraits import Light, draw
from s3vae.evaluation.faces import Faces, akd, face_scores, motion_akd
from s3vae.evaluation.label_free import Compared, fixed_donors

PLACES = (-5, 0, 5)


def clip(person: int, place: int) -> ndarray:
    """Return two frames of a person at a place, in pixels right of the middle."""
    looks = traits(0, int(person))
    frames = [draw(looks, APEX["fear"], Pose(x=place + t), Light(0, 0, 1)) for t in (0, 1)]
    return np.rint(frames).clip(0, 255).astype(np.uint8)


def compared(*, true: bool) -> Compared:
    """Return swaps with the face of one donor at the place of the other, or the reverse."""
    donors = fixed_donors(np.arange(3))
    pairs = zip(donors.static, donors.dynamic, strict=True)
    swaps = [clip(*(i, PLACES[j]) if true else (j, PLACES[i])) for i, j in pairs]
    real = np.stack([clip(person, place) for person, place in enumerate(PLACES)])
    return Compared(np.stack(swaps), real, real, donors)


def test_faces_of_true_swaps_are_near_their_donors_and_of_reversed_ones_far() -> None:
    true, reversed_ = face_scores(compared(true=True)), face_scores(compared(true=False))
    assert true["faces_found"] == 1
    assert (true["aed_nearer"], reversed_["aed_nearer"]) == (1, 0)
    for name in ("akd", "aed"):
        assert true[f"{name}_floor"] == 0
        assert true[name] < true[f"{name}_other"]
        assert true[name] < true[f"{name}_null"]
        assert reversed_[f"{name}_other"] < reversed_[name]
    assert true["akd"] < 3 < true["akd_other"]


def test_the_akd_of_motion_ignores_shape_and_place_and_clips_that_lack_a_face() -> None:
    draws = np.random.default_rng(0)
    motion, shapes = draws.normal(size=(2, 4, 68, 2)), draws.normal(size=(2, 1, 1, 68, 2))
    found, code = np.ones((2, 4), bool), np.zeros((2, 128))
    one, other = (Faces(motion + shape, found, code) for shape in shapes)
    assert motion_akd(one, other) < 1e-9
    assert akd(one, other) > 1
    still = Faces(np.broadcast_to(shapes[0], motion.shape), found, code)
    error = motion_akd(still, other)
    assert error > 0.5
    lost = Faces(other.points, found & [[True], [False]], code)
    first = Faces(*(each[:1] for each in other))
    assert motion_akd(still, lost) == motion_akd(Faces(*(each[:1] for each in still)), first)
    assert motion_akd(still, lost) == pytest.approx(error, rel=0.2)


@pytest.mark.filterwarnings("error")
def test_without_a_face_only_the_share_of_faces_is_defined() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (3, 2, 64, 64, 1), np.uint8)
    scores = face_scores(Compared(noise, noise, noise, fixed_donors(np.arange(3))))
    assert scores.pop("faces_found") == 0
    assert np.isnan(list(scores.values())).all()


def test_without_dlib_faces_are_not_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    noise = np.zeros((3, 2, 64, 64, 3), np.uint8)
    assert face_scores(Compared(noise, noise, noise, fixed_donors(np.arange(3)))) == {}
