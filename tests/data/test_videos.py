"""Videos of the user: labels, splits, and faults of a labels.csv."""

import unicodedata
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from s3vae.data.clips import SPLITS, ClipFile, write_clips
from s3vae.data.footage import Cut
from s3vae.data.grid import Grid
from s3vae.data.labels import LabelsError
from s3vae.data.splits import TEST, split_by_name
from s3vae.data.videos import Videos

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
    with pytest.raises(ValueError, match="has a column 'split': remove it, or `split_by`"):
        Videos(cut=CUT, dynamic=("mood",), split_by="time").clips(folder)
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
    with pytest.raises(ValueError, match=r"0 .* for val and 0 .* for test: .*split_by: time"):
        Videos(cut=CUT, val=0, test=0).clips(folder)


@pytest.mark.parametrize(("size", "shape"), [(96, (96, 96)), ([32, 128], (32, 128))])
def test_frames_have_the_size_that_the_settings_state(
    folder: Path, size: object, shape: tuple[int, int]
) -> None:
    settings = TypeAdapter(Videos).validate_python(
        {"kind": "videos", "size": size, "cut": {"time": 2, "stride": 1}}
    )
    assert build(folder, settings).shape[2:] == (*shape, 3)


@pytest.mark.parametrize("settings", [Videos, Grid])
@pytest.mark.parametrize("size", [0, 16, 40, 72, 100, [64, 72], [64, 64, 64]])
def test_sizes_that_no_network_takes_are_refused(settings: type, size: object) -> None:
    with pytest.raises(ValidationError, match="size"):
        TypeAdapter(settings).validate_python({"size": size})


def test_a_folder_without_videos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"holds no videos .* pipeline\.datasets"):
        Videos().clips(tmp_path)


def test_a_video_without_a_row_is_not_used_and_neither_is_another_file_but_both_are_named(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "b" / "notes.txt").touch()
    (folder / "labels.csv").write_text("file,split\nb,val\nc,test\nd,train\n")
    assert Videos(cut=CUT).clips(folder).shape[0] == 5
    assert f"(no row in labels.csv): \n  - {folder / NAMES[0]}" in caplog.text
    assert f"(no video): \n  - {folder / 'b' / 'notes.txt'}" in caplog.text


@pytest.mark.parametrize(
    ("labels", "fault"),
    [
        (LABELS.splitlines()[0] + "\n", r"labels\.csv labels no video"),
        (LABELS.replace("file,", "name,"), r"labels\.csv has no column file"),
        (LABELS.replace("mood", "state"), r"no column mood, only file, person, state, split"),
        (LABELS.replace("\nb,", "\nx,"), r"line 3: there is no video 'x' in the folder"),
        (LABELS.replace("\nb,", "\nc,"), r"line 4: c has two rows"),
        (LABELS.replace(",Ben,glad", ",,glad"), r"line 3: person has no value"),
        (
            LABELS.replace("glad,val", "glad,val,1"),
            r"line 3: there is a value without a column",
        ),
        (LABELS.replace("glad,val", "glad,dev"), r"line 3: split must be train, val or test"),
        (LABELS.replace("b,Ben", '\nb,"Ben\n"').replace("c,", "x,"), r"line 6: there is no video"),
        (LABELS.replace("person", "mood"), r"two columns are called 'mood'"),
        (LABELS.replace("person", ""), r"column 2 has no name"),
        (LABELS.replace("Ann", "Ben"), r"person: all videos have the value 'Ben'"),
        (LABELS.replace("b,Ben", "b,Bea"), r"person: no video of .* train split has 'Bea' .line 3"),
    ],
)
def test_labels_that_do_not_fit_are_refused_by_line(folder: Path, labels: str, fault: str) -> None:
    (folder / "labels.csv").write_text(labels)
    with pytest.raises(LabelsError, match=fault):
        Videos(cut=CUT, dynamic=("mood",)).clips(folder)


@pytest.mark.parametrize("name", ["type", "values", "train", "float", "v1.0", "a/b", "step"])
def test_a_column_whose_name_a_classifier_cannot_have_is_refused(folder: Path, name: str) -> None:
    (folder / "labels.csv").write_text(LABELS.replace("person", name))
    with pytest.raises(LabelsError, match=f"a column cannot be called '{name}': rename it"):
        Videos(cut=CUT).clips(folder)


def test_labels_and_split_are_refused_before_any_video_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("s3vae.data.media.cv2")
    (folder / "labels.csv").write_text(LABELS.replace("Ann", "Ben"))
    with pytest.raises(LabelsError, match="all videos have the value 'Ben'"):
        Videos(cut=CUT).clips(folder)
    (folder / "labels.csv").write_text(LABELS.replace("val", "test"))
    with pytest.raises(ValueError, match="0 of at least 1 clips for val"):
        Videos(cut=CUT).clips(folder)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"]
)
@pytest.mark.parametrize(("delimiter", "end"), [(",", "\n"), (";", "\r\n"), ("\t", "\r")])
def test_tables_of_spreadsheets_are_read(
    folder: Path, encoding: str, delimiter: str, end: str
) -> None:
    """With umlauts, blanks, blank rows and columns, Windows paths, and capitals in the header."""
    (folder / "b").rename(folder / unicodedata.normalize("NFD", "bö"))
    text = LABELS.replace("file", "File").replace("train", "Train ").replace("a/0", "a\\0")
    text = text.replace("\nb", "\nbö").replace("Ann", " Änn").replace("Ben,sad", "Ben ,sad")
    rows = [line + ",," for line in [*text.splitlines(), "", ",,,"]]
    table = end.join(rows).replace(",", delimiter)
    (folder / "Labels.CSV").write_bytes(table.encode(encoding))
    clips = build(folder, Videos(cut=CUT))
    assert [f.values for f in clips.factors] == [("Ben", "Änn"), ("glad", "sad")]
    assert clips.labels("person").tolist() == [1, 0, 1, 0, 0, 0]
    assert len(clips.split("train")) == 4


def test_the_delimiter_that_excel_states_and_characters_without_width_are_no_cells(
    folder: Path,
) -> None:
    text = LABELS.replace("Ann", "Ann\u200b").replace("file", "\ufefffile").replace(",", "|")
    (folder / "labels.csv").write_text(f"sep=|\n{text}")
    clips = build(folder, Videos(cut=CUT))
    assert [f.values for f in clips.factors] == [("Ann", "Ben"), ("glad", "sad")]
    (folder / "labels.csv").write_text(f"sep=|\n{text}none|Ben|sad|train\n")
    with pytest.raises(LabelsError, match=f"line {len(text.splitlines()) + 2}: there is no video"):
        Videos(cut=CUT).clips(folder)


def test_a_table_in_no_known_encoding_is_refused(folder: Path) -> None:
    (folder / "labels.csv").write_bytes(b"file,person\n\x81\x8d,1\n")
    with pytest.raises(LabelsError, match="in no known encoding: save it as CSV in UTF-8"):
        Videos(cut=CUT).clips(folder)


def numbered(folder: Path, videos: int, frames: int) -> Path:
    """Write videos of pictures that show the number of the video and of the frame."""
    for video in range(videos):
        (folder / f"{video:02}").mkdir(parents=True)
        for frame in range(frames):
            grey = np.full((32, 32, 3), (0, video, frame), np.uint8)
            cv2.imwrite(str(folder / f"{video:02}" / f"{frame}.png"), grey)
    return folder


def test_a_few_videos_are_split_by_time_without_a_frame_in_two_splits_and_the_log_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clips = build(numbered(tmp_path / "mine", 3, 20), Videos(cut=CUT))
    shown = clips.frames(range(clips.clips))[:, :, 0, 0]
    frames, video = shown[..., 0].astype(int), shown[:, 0, 1]
    for number in range(3):
        train, val, test = (
            frames[[k for k in clips.split(name) if video[k] == number]] for name in SPLITS
        )
        assert (len(train), len(test)) == (5 - len(val) - 1, 1)
        assert train.max() < val.min(initial=99)
        assert val.max(initial=train.max()) < test.min()
    assert [len(clips.split(name)) for name in SPLITS] == [10, 2, 3]
    assert len(set(clips.identity)) == 8
    assert (
        caplog.text.count("its 3 videos are split by time within each: few videos (under 50)") == 1
    )
    stated = build(tmp_path / "mine", Videos(cut=CUT, split_by="time"))
    assert stated.split("test").tolist() == clips.split("test").tolist()
    assert caplog.text.count("split by time") == 1


@pytest.mark.parametrize("split_by", ["time", "video", "clip"])
def test_few_train_clips_get_more_that_overlap_with_them_and_with_no_other_split(
    split_by: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    folder, settings = numbered(tmp_path / "mine", 6, 20), {"cut": CUT, "split_by": split_by}
    alone = build(folder, Videos(**settings))
    clips = build(folder, Videos(**settings, least_train_clips=27))
    shown = clips.frames(range(clips.clips))[:, :, 0, 0]
    frames, video = shown[..., 0].astype(int), shown[:, 0, 1]
    assert np.unique(np.diff(frames)).tolist() == [CUT.stride]
    seen = {
        name: {(int(video[k]), int(each)) for k in clips.split(name) for each in frames[k]}
        for name in SPLITS
    }
    assert not seen["train"] & (seen["val"] | seen["test"])
    for name in ("val", "test"):
        assert len(clips.split(name)) == len(alone.split(name))
    assert len(alone.split("train")) < 27 <= len(clips.split("train"))
    assert len({frame.tobytes() for frame in shown}) == clips.clips
    assert "overlapping ones are added" in caplog.text
    assert "pictures may be poor" not in caplog.text
    build(folder, Videos(**settings, least_train_clips=999))
    assert "less than a quarter of least_train_clips (999), and pictures may be poor" in caplog.text


@pytest.mark.parametrize(
    ("videos", "frames", "settings"),
    [(50, 12, {}), (10, 11, {}), (10, 12, {"split_by": "video"})],
    ids=["many videos", "videos of two clips", "stated"],
)
def test_other_videos_are_split_by_name(
    tmp_path: Path, videos: int, frames: int, settings: dict[str, Any]
) -> None:
    clips = build(numbered(tmp_path / "mine", videos, frames), Videos(cut=CUT, **settings))
    names = {f"{video:02}": video for video in range(videos)}
    split = split_by_name(names, 0.1, 0.2)
    tested = {names[name] for name in names if split[name] == TEST}
    assert set(clips.identity[clips.split("test")]) == tested


@pytest.mark.parametrize("split_by", ["clip", "time", None])
def test_a_factor_of_one_value_is_refused_before_any_video_is_read_whatever_is_split(
    folder: Path, monkeypatch: pytest.MonkeyPatch, split_by: Any
) -> None:
    monkeypatch.delattr("s3vae.data.media.cv2")
    labels = "file,person\n" + "".join(f"{name},Ann\n" for name in NAMES)
    (folder / "labels.csv").write_text(labels)
    with pytest.raises(LabelsError, match="all videos have the value 'Ann'"):
        Videos(cut=CUT, split_by=split_by).clips(folder)


def test_a_value_that_a_split_by_clip_takes_from_train_is_refused_with_a_remedy(
    folder: Path,
) -> None:
    labels = "file,person\n" + "".join(f"{name},{name[0]}\n" for name in NAMES)
    (folder / "labels.csv").write_text(labels)
    with pytest.raises(LabelsError, match=r"no video of the train split has .*\n.*split_by: time"):
        Videos(cut=CUT, split_by="clip", val=0.3, test=0.3).clips(folder)
    assert build(folder, Videos(cut=CUT, split_by="time")).factors[0].values == ("a", "b", "c", "d")


def test_one_video_file_may_take_the_place_of_the_folder(folder: Path) -> None:
    path = folder / "one & only ü.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for _ in range(40):
        writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()
    clips = build(path, Videos(cut=CUT))
    assert [clips.split(name).tolist() for name in SPLITS] == [[*range(7)], [7], [8, 9]]
    with pytest.raises(ValueError, match=r"0 .* for train and 0 .* for val: .*split_by: time"):
        Videos(cut=CUT, split_by="video").clips(path)


def test_dynamic_columns_need_labels(folder: Path) -> None:
    with pytest.raises(LabelsError, match=r"labels\.csv is missing"):
        Videos(cut=CUT, dynamic=("mood",)).clips(folder)
