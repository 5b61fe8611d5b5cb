"""Drawn faces: what is drawn is where the landmarks say, and expressions take their time."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from s3vae.data.clips import ClipFile, ClipSet, write_clips
from s3vae.data.faces.expressions import APEX, EXPRESSIONS, Muscles
from s3vae.data.faces.faces import NOISE, PEOPLE, Faces, Scene, filmed, landmarks, scene, traits
from s3vae.data.faces.geometry import LID, Pose, Traits, face_points
from s3vae.data.faces.portraits import Light, draw
from s3vae.signals.landmarks import distances

FRONT = Light(0, -0.3, 1.0)
TIME = 15
NOWHERE = Path("nowhere")


@pytest.fixture(scope="module")
def faces() -> ClipSet:
    return Faces(takes=3).clips(NOWHERE)


def test_everyone_shows_each_expression_in_every_split(faces: ClipSet) -> None:
    for split in range(3):
        chosen = faces.split == split
        shown = np.stack([faces.labels[name][chosen] for name in ("person", "expression")])
        assert len(np.unique(shown, axis=1).T) == PEOPLE * len(EXPRESSIONS)


def test_the_set_fits_the_format_and_is_the_same_each_time(tmp_path: Path, faces: ClipSet) -> None:
    first = next(iter(faces.frames))
    assert np.array_equal(first, next(iter(Faces(takes=3).clips(NOWHERE).frames)))
    few = {"labels": {name: each[:2] for name, each in faces.labels.items()}}
    assert faces.landmarks is not None
    small = dataclasses.replace(
        faces,
        shape=(2, *faces.shape[1:]),
        frames=[first, first],
        identity=faces.identity[:2],
        split=faces.split[:2],
        landmarks=faces.landmarks[:2],
        **few,
    )
    write_clips(tmp_path / "clips.h5", small)
    assert np.array_equal(ClipFile(tmp_path / "clips.h5").landmarks, faces.landmarks[:2])


def test_landmarks_are_inside_the_picture_and_noise_is_in_it(faces: ClipSet) -> None:
    assert faces.landmarks is not None
    inner = faces.landmarks[:, :, 17:]
    assert inner.min() > 2
    assert inner.max() < 61
    still = Scene([Muscles()] * 2, [Pose()] * 2, FRONT, (0, 2, 0))
    one, other = filmed(traits(0, 0), still).astype(float)
    assert np.std(one - other) == pytest.approx(NOISE * np.sqrt(2), rel=0.1)


def test_the_pupils_are_where_the_eyes_are() -> None:
    person = traits(0, 3)
    for pose in (Pose(), Pose(x=2.0, y=-1.5), Pose(roll=0.08)):
        points = pose.placed(face_points(person, Muscles()))
        grey = draw(person, Muscles(), pose, FRONT).mean(axis=2)
        for eye in (points[36:42], points[42:48]):
            x, y = np.rint(eye.mean(axis=0)).astype(int)
            around = grey[y - 3 : y + 4, x - 3 : x + 4]
            assert grey[y, x] < np.median(around)


def test_moving_the_head_by_a_pixel_moves_the_picture() -> None:
    person = traits(0, 5)
    flat = dataclasses.replace(person, haircut="bald")
    here, there = (draw(flat, Muscles(), Pose(x=x), Light(0, 0, 1)) for x in (0.0, 1.0))
    middle = np.s_[20:50, 18:46]
    moved = np.abs(there[:, 1:] - here[:, :-1])[middle].mean()
    assert moved < 0.2 * np.abs(there[:, 1:] - here[:, 1:])[middle].mean()


def test_an_open_mouth_is_dark_between_the_lips() -> None:
    person = traits(0, 0)
    points = Pose().placed(face_points(person, APEX["surprise"]))
    x, y = np.rint((points[62] + 3 * points[66]) / 4).astype(int)
    shut, opened = (
        draw(person, each, Pose(), FRONT)[y, x] for each in (Muscles(), APEX["surprise"])
    )
    assert opened.mean() < 0.6 * shut.mean()


def gaps(person: Traits, muscles: Muscles) -> tuple[float, float]:
    """How far the lids of the left eye and the lips are apart."""
    points = face_points(person, muscles)
    return float(points[41, 1] - points[37, 1]), float(points[66, 1] - points[62, 1])


def test_expressions_open_and_shut_what_they_should() -> None:
    person = traits(0, 1)
    lids, lips = gaps(person, Muscles())
    assert lips == pytest.approx(0, abs=0.05)
    wide = {name: gaps(person, each) for name, each in APEX.items()}
    assert all((wide[name][0] > lids) == (name in ("fear", "surprise")) for name in EXPRESSIONS)
    assert max(wide, key=lambda name: wide[name][1]) == "surprise"
    assert gaps(person, Muscles(lids=-1))[0] < 0.2 * lids


def test_a_smile_lifts_the_corners_and_sadness_lets_them_drop() -> None:
    person = traits(0, 1)
    corner = {name: face_points(person, APEX[name])[48, 1] for name in EXPRESSIONS}
    rest = face_points(person, Muscles())[48, 1]
    assert corner["happiness"] < rest - 1
    assert corner["sadness"] > rest + 1


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_distances_are_those_that_the_face_is_drawn_with(expression: str) -> None:
    """By hand from the lengths of its shape: at apex, upright, and however the head is held."""
    person, muscles = traits(0, 3), APEX[expression]
    lids = 2 * person.eye * LID * max(1 + muscles.lids, 0.06)
    upper = 0.9 * (muscles.wrinkle + 0.3 * muscles.open)
    lower = 0.95 * 0.7 * muscles.open
    heights = 1 + 2 * (1 - (0.4 / 0.85) ** 2)  # of the three pairs, against the middle one
    lips = (upper + lower) * heights / 3
    unit = 2 * (person.eyes_apart + person.eye)
    points = face_points(person, muscles)
    for pose in (Pose(), Pose(3, -2, 0.3, 1.2)):
        assert distances(pose.placed(points)) == pytest.approx(
            np.array([lids, lids, abs(lips)]) / unit, rel=1e-5
        )


def test_faces_are_symmetric() -> None:
    points = face_points(traits(0, 2), APEX["fear"])
    for left, right in ((0, 16), (17, 26), (36, 45), (37, 44), (41, 46), (48, 54), (60, 64)):
        assert points[left] == pytest.approx(points[right] * (-1, 1))


def test_the_first_frame_does_not_tell_the_expression_but_the_middle_does() -> None:
    def seen(frame: int, people: range) -> tuple[np.ndarray, np.ndarray]:
        pictures, shown = [], []
        for person in people:
            for number, name in enumerate(EXPRESSIONS):
                what = scene(0, 1000 * person + number, name, TIME)
                points = landmarks(traits(0, person), what)[frame]
                pictures.append((points - points[27])[17:].ravel())
                shown.append(number)
        return np.array(pictures), np.array(shown)

    right = {}
    for frame in (0, 7):
        told = LogisticRegression(max_iter=2000).fit(*seen(frame, range(40)))
        right[frame] = told.score(*seen(frame, range(40, PEOPLE)))
    assert right[0] < 0.35
    assert right[7] > 0.85


def test_each_take_has_its_own_timing() -> None:
    heights = []
    for number in range(20):
        lips = [each.open for each in scene(0, number, "surprise", TIME).muscles]
        heights.append(int(np.argmax(lips)))
        assert lips[0] < 0.5
    assert len(set(heights)) > 3
