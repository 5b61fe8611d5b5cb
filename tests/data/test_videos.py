"""Videos of the user: labels, splits, and faults of a labels.csv."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from s3vae.data.clips import SPLITS, ClipFile, write_clips
from s3vae.data.footage import Cut
from s3vae.data.videos import LabelsError, Videos

CUT = Cut(time=4, stride=1)
LABELS = """file,person,mood,split
a/0.png-folder,Ann,glad,train
b,Ben,glad,val
c,Ann,sad,test
d,Ben,sad,train
"""
NAMES = ("a/0.png-folder", "b", "c", "d")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write four videos; the last one has 12 pictures, for three clips, the others four."""
    for number, name in enumerate(NAMES):
        place = tmp_path / "mine" / name
        place.mkdir(parents=True)
        for frame in range(12 if name == "d" else 4):
            grey = np.full((32, 48, 3), 40 * number + frame, np.uint8)
            cv2.imwrite(str(place / f"{frame:02}.png"), grey)
    return tmp_path / "mine"


def build(folder: Path, settings: Videos) -> ClipFile:
    write_clips(folder.parent / "clips.h5", settings.clips(folder))
    return ClipFile(folder.parent / "clips.h5")


def test_labels_define_factors_and_split(folder: Path) -> None:
    (folder / "labels.csv").write_text(LABELS)
    clips = build(folder, Videos(cut=CUT, dynamic=("mood",)))
    assert [(f.name, f.kind, f.values) for f in clips.factors] == [
        ("person", "static", ("Ann", "Ben")),
        ("mood", "dynamic", ("glad", "sad")),
    ]
    assert clips.shape == (6, 4, 64, 64, 3)
    assert clips.labels("person").tolist() == [0, 1, 0, 1, 1, 1]
    assert clips.labels("mood").tolist() == [0, 0, 1, 1, 1, 1]
    assert clips.identity.tolist() == [0, 1, 2, 3, 3, 3]
    assert [clips.split(name).tolist() for name in SPLITS] == [[0, 3, 4, 5], [1], [2]]
    assert clips.frames([4])[0, :, 0, 0, 0].tolist() == [124, 125, 126, 127]


def test_without_labels_there_is_no_factor_and_the_split_is_by_name(folder: Path) -> None:
    clips = build(folder, Videos(cut=Cut(time=2, stride=1), split_by="clip", val=0.3, test=0.3))
    assert clips.factors == ()
    assert all(len(clips.split(name)) for name in SPLITS)
    assert len(set(clips.identity)) == clips.clips == 12
    with pytest.raises(ValueError, match=r"0 .* for val and 0 .* for test: .*split_by: clip"):
        Videos(cut=CUT, val=0, test=0).clips(folder)


def test_a_folder_without_videos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"holds no videos .* pipeline\.datasets"):
        Videos().clips(tmp_path)


def test_a_video_without_a_row_is_not_used(folder: Path) -> None:
    (folder / "labels.csv").write_text(LABELS.replace("a/0.png-folder,Ann,glad,train\n", ""))
    assert Videos(cut=CUT).clips(folder).shape[0] == 5


@pytest.mark.parametrize(
    ("labels", "fault"),
    [
        (LABELS.splitlines()[0] + "\n", r"labels\.csv labels no video"),
        (LABELS.replace("file,", "name,"), r"labels\.csv has no column file"),
        (LABELS.replace("mood", "state"), r"no column mood, only file, person, state, split"),
        (LABELS.replace("\nb,", "\nx,"), r"line 3: there is no video 'x' in the folder"),
        (LABELS.replace("\nb,", "\nc,"), r"line 4: c has two rows"),
        (LABELS.replace(",Ben,glad", ",,glad"), r"line 3: every column must have a value"),
        (LABELS.replace("glad,val", "glad,val,1"), r"line 3: .* no more values than columns"),
        (LABELS.replace("glad,val", "glad,dev"), r"line 3: split must be train, val or test"),
    ],
)
def test_labels_that_do_not_fit_are_refused_by_line(folder: Path, labels: str, fault: str) -> None:
    (folder / "labels.csv").write_text(labels)
    with pytest.raises(LabelsError, match=fault):
        Videos(cut=CUT, dynamic=("mood",)).clips(folder)


def test_dynamic_columns_need_labels(folder: Path) -> None:
    with pytest.raises(LabelsError, match=r"labels\.csv is missing"):
        Videos(cut=CUT, dynamic=("mood",)).clips(folder)
