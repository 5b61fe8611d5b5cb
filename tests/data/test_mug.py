"""MUG, on a generated tree in the layout of its distribution."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from pydantic import TypeAdapter

from s3vae.data.clips import ClipFile, write_clips
from s3vae.data.crops import detect_face
from s3vae.data.faces.expressions import EXPRESSIONS
from s3vae.data.faces.faces import scene, traits
from s3vae.data.faces.portraits import draw
from s3vae.data.media import frames_of
from s3vae.data.mug import MUG, FirstClip, find_sequences

SUBJECTS = 4
FRAMES = 5


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw SUBJECT/EXPRESSION/takeNNN/img_NNNN.jpg, for some subjects with a session between."""
    folder = tmp_path_factory.mktemp("mug")
    for subject in range(SUBJECTS):
        for number, expression in enumerate((*EXPRESSIONS, "neutral")):
            session = "session0" if subject % 2 else ""
            path = folder / f"{subject + 1:03}" / session / expression / f"take{number % 2:03}"
            path.mkdir(parents=True)
            take = scene(0, number, EXPRESSIONS[number % 6], 15)
            for frame in range(FRAMES):
                face, pose = take.muscles[3 * frame], take.poses[3 * frame]
                picture = draw(traits(0, subject), face, pose, take.light).clip(0, 255)
                large = cv2.resize(picture.astype(np.uint8), (192, 192), interpolation=3)
                wide = cv2.copyMakeBorder(large, 10, 30, 60, 40, cv2.BORDER_REPLICATE)
                cv2.imwrite(str(path / f"img_{frame:04}.jpg"), wide[..., ::-1])
        (folder / f"{subject + 1:03}" / "readme.txt").write_text("of the licence")
    return folder


def test_every_expression_of_every_subject_is_a_clip_of_a_face(tree: Path, tmp_path: Path) -> None:
    settings = MUG(cut=FirstClip(time=3), val=0.25)
    write_clips(tmp_path / "clips.h5", settings.clips(tree))
    clips = ClipFile(tmp_path / "clips.h5")
    assert clips.shape == (SUBJECTS * 6, 3, 64, 64, 3)
    assert [(f.name, f.kind, f.values) for f in clips.factors] == [
        ("expression", "dynamic", EXPRESSIONS)
    ]
    per_subject = [clips.labels("expression")[clips.identity == k] for k in range(SUBJECTS)]
    assert all(sorted(labels) == list(range(6)) for labels in per_subject)


def test_a_crop_is_centred_on_the_face_and_close_to_it(tree: Path) -> None:
    """Heads are drawn around (32, 31) of 64 pixels, enlarged by 3 and shifted by (60, 10)."""
    boxes = [detect_face(next(frames_of(take))) for take in find_sequences(tree)]
    assert len(boxes) == SUBJECTS * 6
    for box in boxes:
        assert box is not None
        middle = box.left + box.width / 2, box.top + box.height / 2
        assert np.allclose(middle, (60 + 3 * 32, 10 + 3 * 31), atol=25)
        assert 90 < box.width < 202


def test_no_subject_is_in_two_splits(tree: Path) -> None:
    clips = MUG(cut=FirstClip(time=3), crop="centre", val=0.25).clips(tree)
    of_subject = [set(clips.split[clips.identity == k]) for k in range(SUBJECTS)]
    assert all(len(splits) == 1 for splits in of_subject)
    assert set(clips.split) == {0, 1, 2}


def test_only_the_first_clip_of_a_sequence_is_taken_at_any_length() -> None:
    settings = TypeAdapter(MUG).validate_python({"kind": "mug", "cut": {"time": 4}})
    assert settings.cut.windows(99) == [range(0, 7, 2)]


@pytest.mark.parametrize("exists", [True, False])
def test_without_the_data_the_error_says_where_to_request_them(
    tmp_path: Path, exists: bool
) -> None:
    if exists:
        (tmp_path / "mug" / "001").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=r"mug\.ee\.auth\.gr.*pipeline\.datasets") as raised:
        MUG().clips(tmp_path / "mug")
    assert "SUBJECT/EXPRESSION" in str(raised.value)
