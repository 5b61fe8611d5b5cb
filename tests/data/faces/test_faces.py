"""Drawn faces: agreement of pictures and landmarks, and the course of expressions."""

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
TIME, SOME = 15, 13
NOWHERE = Path("nowhere")


@pytest.fixture(scope="module")
def faces() -> ClipSet:
    return Faces(takes=3, people=SOME).clips(NOWHERE)


def test_every_person_has_every_expression_in_every_split(faces: ClipSet) -> None:
    for split in range(3):
        chosen = faces.split == split
        labels = np.stack([faces.labels[name][chosen] for name in ("person", "expression")])
        assert len(np.unique(labels, axis=1).T) == SOME * len(EXPRESSIONS)


def test_the_set_fits_the_format_and_is_the_same_each_time(tmp_path: Path) -> None:
    settings = Faces(people=1, takes=3, time=3)
    for name in ("one.h5", "same.h5"):
        write_clips(tmp_path / name, settings.clips(NOWHERE))
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "same.h5").read_bytes()
    assert np.array_equal(
        ClipFile(tmp_path / "one.h5").landmarks, settings.clips(NOWHERE).landmarks
    )


def test_landmarks_are_inside_the_picture_which_is_noisy(faces: ClipSet) -> None:
    assert faces.landmarks is not None
    inner = faces.landmarks[:, :, 17:]
    assert inner.min() > 2
    assert inner.max() < 61
    still = Scene([Muscles()] * 2, [Pose()] * 2, FRONT, (0, 2, 0))
    one, other = filmed(traits(0, 0), still).astype(float)
    assert np.std(one - other) == pytest.approx(NOISE * np.sqrt(2), rel=0.1)


def test_a_larger_picture_shows_the_same_face_with_its_landmarks_in_the_same_places() -> None:
    take = scene(0, 5, "surprise", time=3)
    small, large = (filmed(traits(0, 1), take, size).astype(float) for size in (64, 128))
    halved = large.reshape(3, 64, 2, 64, 2, 3).mean(axis=(2, 4))
    assert large.shape == (3, 128, 128, 3)
    assert np.abs(halved - small).mean() < 2 * NOISE
    near, far = (landmarks(traits(0, 1), take, size) for size in (64, 128))
    assert np.allclose(far + 0.5, 2 * (near + 0.5), atol=1e-4)


def test_the_pupils_are_in_the_eyes() -> None:
    person = traits(0, 3)
    for pose in (Pose(), Pose(x=2.0, y=-1.5), Pose(roll=0.08)):
        points = pose.placed(face_points(person, Muscles()))
        grey = draw(person, Muscles(), pose, FRONT).mean(axis=2)
        for eye in (points[36:42], points[42:48]):
            x, y = np.rint(eye.mean(axis=0)).astype(int)
            around = grey[y - 3 : y + 4, x - 3 : x + 4]
            assert grey[y, x] < np.median(around)


def test_a_translation_of_the_head_by_a_pixel_moves_the_picture_by_a_pixel() -> None:
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
    """Return the distances between the lids of the left eye and between the lips."""
    points = face_points(person, muscles)
    return float(points[41, 1] - points[37, 1]), float(points[66, 1] - points[62, 1])


def test_fear_and_surprise_open_the_eyes_and_surprise_opens_the_mouth_most() -> None:
    person = traits(0, 1)
    lids, lips = gaps(person, Muscles())
    assert lips == pytest.approx(0, abs=0.05)
    wide = {name: gaps(person, each) for name, each in APEX.items()}
    assert all((wide[name][0] > lids) == (name in ("fear", "surprise")) for name in EXPRESSIONS)
    assert max(wide, key=lambda name: wide[name][1]) == "surprise"
    assert gaps(person, Muscles(lids=-1))[0] < 0.2 * lids


def test_happiness_raises_and_sadness_lowers_the_corners_of_the_mouth() -> None:
    person = traits(0, 1)
    corner = {name: face_points(person, APEX[name])[48, 1] for name in EXPRESSIONS}
    rest = face_points(person, Muscles())[48, 1]
    assert corner["happiness"] < rest - 1
    assert corner["sadness"] > rest + 1


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_distances_follow_from_the_traits_at_any_pose(expression: str) -> None:
    person, muscles = traits(0, 3), APEX[expression]
    lids = 2 * person.eye * LID * max(1 + muscles.lids, 0.06)
    upper = 0.9 * (muscles.wrinkle + 0.3 * muscles.open)
    lower = 0.95 * 0.7 * muscles.open
    heights = 1 + 2 * (1 - (0.4 / 0.85) ** 2)  # of the three pairs, relative to the middle one
    lips = (upper + lower) * heights / 3
    unit = 2 * (person.eyes_apart + person.eye)
    points = face_points(person, muscles)
    for pose in (Pose(), Pose(3, -2, 0.3, 1.2)):
        assert distances(pose.placed(points)) == pytest.approx(
            np.array([lids, lids, abs(lips)]) / unit, rel=1e-5
        )


def test_landmarks_are_symmetric() -> None:
    points = face_points(traits(0, 2), APEX["fear"])
    for left, right in ((0, 16), (17, 26), (36, 45), (37, 44), (41, 46), (48, 54), (60, 64)):
        assert points[left] == pytest.approx(points[right] * (-1, 1))


def test_the_expression_can_be_classified_in_the_middle_frame_but_not_in_the_first() -> None:
    labels = np.arange(PEOPLE * len(EXPRESSIONS)) % len(EXPRESSIONS)

    def first_and_middle(person: int, number: int, expression: str) -> np.ndarray:
        take = scene(0, number, expression, TIME)
        two = take._replace(muscles=take.muscles[:8:7], poses=take.poses[:8:7])
        return landmarks(traits(0, person), two)

    points = np.stack(
        [
            first_and_middle(person, 1000 * person + label, name)
            for person in range(PEOPLE)
            for label, name in enumerate(EXPRESSIONS)
        ]
    )
    features = (points - points[:, :, 27:28])[:, :, 17:].reshape(len(labels), 2, -1)
    known = 40 * len(EXPRESSIONS)
    accuracies = []
    for of_frame in features.swapaxes(0, 1):
        classifier = LogisticRegression(max_iter=2000).fit(of_frame[:known], labels[:known])
        accuracies.append(classifier.score(of_frame[known:], labels[known:]))
    first, middle = accuracies
    assert first < 0.35
    assert middle > 0.85


def test_the_timing_differs_between_takes() -> None:
    apexes = []
    for number in range(20):
        lips = [each.open for each in scene(0, number, "surprise", TIME).muscles]
        apexes.append(int(np.argmax(lips)))
        assert lips[0] < 0.5
    assert len(set(apexes)) > 3
