"""Footage: what is cut out of videos and folders of pictures, and what is left out."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy import ndarray

from s3vae.data.crops import Box, boxes_of, centre, cropped
from s3vae.data.footage import (
    Cut,
    TooManyUnreadableError,
    clips_of,
    footage_in,
    frames_of,
    looked_through,
    require_all_splits,
    splits_of,
)
from s3vae.signals.detectors import DlibDetector


def numbered(count: int, height: int = 48, width: int = 64) -> list[ndarray]:
    """Frames that are each of one grey, lighter one after the other."""
    return [np.full((height, width, 3), 10 + 5 * number, np.uint8) for number in range(count)]


def film(path: Path, frames: list[ndarray], codec: str = "MJPG") -> Path:
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 10, (width, height))
    assert writer.isOpened()
    for frame in frames:
        writer.write(frame)
    writer.release()
    return path


def pictures(folder: Path, frames: list[ndarray]) -> Path:
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames):
        cv2.imwrite(str(folder / f"{number:03}.png"), frame)
    return folder


def gif(path: Path, frames: list[ndarray]) -> Path:
    from PIL import Image

    first, *rest = (Image.fromarray(frame) for frame in frames)
    first.save(path, save_all=True, append_images=rest, duration=100)
    return path


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.avi", film),
        ("a.mp4", lambda path, frames: film(path, frames, "mp4v")),
        ("a.gif", gif),
        ("a", pictures),
    ],
)
def test_a_video_has_the_frames_it_was_made_of(
    tmp_path: Path, name: str, write: Callable[[Path, list[ndarray]], Path]
) -> None:
    frames = numbered(20)
    read = list(frames_of(write(tmp_path / name, frames)))
    assert len(read) == 20
    for seen, true in zip(read, frames, strict=True):
        assert seen.shape == true.shape
        assert abs(seen.astype(int) - true).max() <= 5


def test_frames_are_red_green_blue(tmp_path: Path) -> None:
    (frame,) = frames_of(pictures(tmp_path / "a", [np.full((8, 8, 3), (0, 0, 255), np.uint8)]))
    assert frame[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize(
    ("cut", "frames", "windows"),
    [
        (Cut(time=4, stride=2), 7, [[0, 2, 4, 6]]),
        (Cut(time=4, stride=2), 14, [[0, 2, 4, 6]]),
        (Cut(time=4, stride=2), 15, [[0, 2, 4, 6], [8, 10, 12, 14]]),
        (Cut(time=4, stride=2, clips_per_video=1), 99, [[0, 2, 4, 6]]),
        (Cut(time=4, stride=2), 5, [[0, 1, 2, 3]]),  # too short for every second one
        (Cut(time=4, stride=2), 3, []),
        (Cut(time=4, stride=None), 31, [[0, 10, 20, 30]]),
        (Cut(time=4, stride=None), 33, [[0, 10, 20, 30]]),
    ],
)
def test_clips_follow_each_other(cut: Cut, frames: int, windows: list[list[int]]) -> None:
    assert [list(window) for window in cut.windows(frames)] == windows


def test_clips_show_the_frames_of_their_windows(tmp_path: Path) -> None:
    path = pictures(tmp_path / "a", numbered(20))
    (footage,) = looked_through("a", [path], Cut(time=3, stride=2), "none", 0)
    grey = [clip[:, 0, 0, 0].tolist() for clip in clips_of(footage)]
    assert grey == [[10 + 5 * k for k in of] for of in ([0, 2, 4], [6, 8, 10], [12, 14, 16])]
    assert {clip.shape for clip in clips_of(footage)} == {(3, 64, 64, 3)}


def test_the_centre_is_the_largest_square_in_the_middle() -> None:
    frame = np.zeros((40, 100, 3), np.uint8)
    frame[:, 30:70] = 200
    assert centre(frame) == Box(30, 0, 40, 40)
    assert (cropped(frame, centre(frame), 64) == 200).all()


def test_where_there_is_no_face_there_is_no_box() -> None:
    windows = [range(0, 3)]
    assert boxes_of(numbered(3), windows, "face") == [None]
    assert boxes_of(numbered(3), windows, "none") == [Box(0, 0, 64, 48)]


def test_the_crop_of_a_real_face_holds_its_eyes_and_mouth(carphone: Path) -> None:
    frames = list(frames_of(carphone))
    windows = Cut(time=5, stride=3).windows(len(frames))
    found = DlibDetector(enlarge=2)(np.stack(frames))
    boxes = boxes_of(frames, windows, "face")
    assert len(boxes) == 8
    for box, window in zip(boxes, windows, strict=True):
        assert box is not None
        assert box.width < 144  # less than the frame is high
        middle = window[len(window) // 2]
        if found.found[0, middle]:
            x, y = found.points[0, middle, 36:].mean(axis=0)
            assert box.left < x < box.left + box.width
            assert box.top < y < box.top + box.height
    assert found.found[0, [w[len(w) // 2] for w in windows]].sum() >= 6


def test_what_cannot_be_read_is_named_with_the_reason_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = [film(tmp_path / f"{k}.avi", numbered(6)) for k in range(7)]
    text, short, cut = (tmp_path / name for name in ("text.mp4", "short.avi", "cut.avi"))
    text.write_text("no video")
    film(short, numbered(2))
    cut.write_bytes(good[0].read_bytes()[:500])
    paths = [*good, text, short, cut]
    found = looked_through("all", paths, Cut(time=4), "centre", 0.3)
    assert [each.path for each in found] == good
    said = {record.args[0]: str(record.args[1]) for record in caplog.records if record.args}  # type: ignore[index]
    assert set(said) == {text, short, cut}
    assert "no video that OpenCV can read" in said[text]
    assert "2 frames" in said[short]
    with pytest.raises(TooManyUnreadableError, match=r"3 of 10 .* more than.*20%") as raised:
        looked_through("all", paths, Cut(time=4), "centre", 0.2)
    assert all(str(path) in str(raised.value) for path in (text, short, cut))


def test_pictures_of_a_folder_are_of_one_size(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "a", numbered(5))
    cv2.imwrite(str(folder / "9.png"), np.zeros((3, 3, 3), np.uint8))
    with pytest.raises(TooManyUnreadableError, match=r"9\.png is of another size"):
        looked_through("a", [folder], Cut(time=4), "none", 0.5)


def test_footage_is_videos_and_folders_of_pictures_but_nothing_hidden(tmp_path: Path) -> None:
    film(tmp_path / ".hidden.avi", numbered(3))
    assert footage_in(tmp_path) == footage_in(tmp_path / "not there") == []
    pictures(tmp_path / "b" / "take", numbered(2))
    film(tmp_path / "a.AVI", numbered(3))
    pictures(tmp_path / "thumbnails beside", numbered(2))
    film(tmp_path / "thumbnails beside" / "c.avi", numbered(3))
    assert footage_in(tmp_path) == [
        tmp_path / "a.AVI",
        tmp_path / "b" / "take",
        tmp_path / "thumbnails beside" / "c.avi",
    ]


def test_the_split_of_a_video_is_told_by_its_name_alone() -> None:
    names = [f"video {number}.mp4" for number in range(2000)]
    split = splits_of(names, val=0.1, test=0.2)
    shares = np.bincount(list(split.values())) / len(names)
    assert np.allclose(shares, (0.7, 0.1, 0.2), atol=0.03)
    fewer = splits_of(names[:1000], val=0.1, test=0.2)
    assert fewer == {name: split[name] for name in names[:1000]}


@pytest.mark.parametrize("count", [5, 10])
def test_of_few_videos_none_of_the_splits_is_empty(count: int) -> None:
    for folder in range(50):
        names = [f"{folder} {number}.mp4" for number in range(count)]
        assert set(splits_of(names, val=0.1, test=0.2).values()) == {0, 1, 2}
    assert set(splits_of(names, val=0, test=0).values()) == {0}


def test_clips_without_a_face_are_counted(
    carphone: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    faces = [frame for _, frame in zip(range(4), frames_of(carphone), strict=False)]
    noise = np.random.default_rng(0).integers(0, 256, (4, *faces[0].shape), np.uint8)
    path = tmp_path / "take"
    path.mkdir()
    for number, frame in enumerate([*faces, *noise]):
        cv2.imwrite(str(path / f"{number}.png"), frame[..., ::-1])
    (found,) = looked_through("a", [path], Cut(time=4, stride=1), "face", 0)
    assert (len(found.windows), found.dropped) == (1, 1)
    assert "no face in 1 of its 2 clips" in caplog.text


def test_a_split_without_clips_is_refused_with_the_mend() -> None:
    require_all_splits("a", np.array([0, 1, 2]), "mend")
    with pytest.raises(ValueError, match="a: the split has no clip for val and test: mend"):
        require_all_splits("a", np.array([0, 0]), "mend")
