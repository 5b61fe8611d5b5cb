"""Footage: the clips that are cut out of videos and folders of pictures."""

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy import ndarray
from PIL import Image

from s3vae.data.crops import Box, centre, crop_boxes, crop_to
from s3vae.data.footage import Cut, TooManyUnreadableError, read_clips, scan_footage
from s3vae.data.media import announced_frames, find_footage, frames_of
from s3vae.signals.detectors import DlibDetector


def numbered(count: int, height: int = 48, width: int = 64) -> list[ndarray]:
    """Make frames of one grey each, each lighter than the one before."""
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
    first, *rest = (Image.fromarray(frame) for frame in frames)
    first.save(path, save_all=True, append_images=rest, duration=100)
    return path


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.avi", film),
        ("a.mp4", lambda path, frames: film(path, frames, "mp4v")),
        ("a.flv", lambda path, frames: film(path, frames, "FLV1")),
        ("a.wmv", lambda path, frames: film(path, frames, "WMV2")),
        ("a.TS", lambda path, frames: film(path, frames, "mp4v")),
        ("a.3gp", lambda path, frames: film(path, frames, "mp4v")),
        ("a.gif", gif),
        ("a", pictures),
    ],
)
def test_the_frames_that_are_read_are_those_that_were_written(
    tmp_path: Path, name: str, write: Callable[[Path, list[ndarray]], Path]
) -> None:
    written = np.stack(numbered(20))
    path = write(tmp_path / name, list(written))
    assert find_footage(tmp_path) == [path]
    read = np.stack(list(frames_of(path)))
    assert read.shape == written.shape
    assert abs(read.astype(int) - written).max() <= 5


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
def test_pictures_are_in_the_order_of_the_numbers_in_their_names(
    tmp_path: Path, suffix: str
) -> None:
    for number, frame in enumerate(numbered(12), start=1):
        cv2.imwrite(
            str(tmp_path / f"{'Take' if number % 2 else 'take'} 0_{number}.{suffix}"), frame
        )
    read = [int(frame[0, 0, 0]) for frame in frames_of(tmp_path)]
    assert read == [10 + 5 * number for number in range(12)]


def test_a_picture_of_several_pages_is_refused(tmp_path: Path) -> None:
    gif(tmp_path / "a.tif", numbered(3))
    with pytest.raises(ValueError, match=r"a\.tif holds 3 pictures"):
        list(frames_of(tmp_path))


@pytest.mark.parametrize(
    ("cut", "frames", "windows"),
    [
        (Cut(time=4, stride=2), 7, [[0, 2, 4, 6]]),
        (Cut(time=4, stride=2), 14, [[0, 2, 4, 6]]),
        (Cut(time=4, stride=2), 15, [[0, 2, 4, 6], [8, 10, 12, 14]]),
        (Cut(time=4, stride=2, clips_per_video=1), 99, [[0, 2, 4, 6]]),
        (Cut(time=4, stride=2), 5, [[0, 1, 2, 3]]),  # too short for a stride of 2
        (Cut(time=4, stride=2), 3, []),
        (Cut(time=4, stride=None), 31, [[0, 10, 20, 30]]),
        (Cut(time=4, stride=None), 33, [[0, 10, 20, 30]]),
    ],
)
def test_clips_are_consecutive(cut: Cut, frames: int, windows: list[list[int]]) -> None:
    assert [list(window) for window in cut.windows(frames)] == windows


def test_a_clip_consists_of_the_frames_of_its_window(tmp_path: Path) -> None:
    path = pictures(tmp_path / "a", numbered(20))
    footage = scan_footage("a", [path], Cut(time=3, stride=2), "none", 0)
    clips = np.stack(list(read_clips(footage)))
    windows = ([0, 2, 4], [6, 8, 10], [12, 14, 16])
    assert clips[..., 0, 0, 0].tolist() == [[10 + 5 * k for k in window] for window in windows]
    assert clips.shape == (3, 3, 64, 64, 3)
    for late in sorted(path.iterdir())[16:]:
        late.unlink()
    with pytest.raises(ValueError, match="has lost frames since it was scanned"):
        list(read_clips(footage))


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((64, 96), Box(20, 0, 60, 40)),
        ((96, 64), Box(36, 0, 27, 40)),
        ((32, 128), Box(0, 8, 100, 25)),
        ((64, 64), Box(30, 0, 40, 40)),
        ((96, 96), Box(30, 0, 40, 40)),
    ],
)
def test_the_centre_has_the_aspect_of_the_size_and_is_as_large_as_fits(
    size: tuple[int, int], box: Box
) -> None:
    frame = np.zeros((40, 100, 3), np.uint8)
    frame[box.top : box.top + box.height, box.left : box.left + box.width] = 200
    assert centre(frame, size) == box
    cropped = crop_to(frame, box, size)
    assert cropped.shape == (*size, 3)
    assert (cropped == 200).all()


def test_without_a_face_there_is_no_box_unless_the_whole_frame_is_used() -> None:
    windows = [range(0, 3)]
    assert crop_boxes(numbered(3), windows, "face") == [None]
    assert crop_boxes(numbered(3), windows, "none") == [Box(0, 0, 64, 48)]


def test_the_crop_of_a_real_face_contains_its_eyes_and_mouth(carphone: Path) -> None:
    frames = list(frames_of(carphone))
    windows = Cut(time=5, stride=3).windows(len(frames))
    detected = DlibDetector(enlarge=2)(np.stack(frames))
    boxes = crop_boxes(frames, windows, "face")
    assert len(boxes) == 8
    wide = [box for box in crop_boxes(frames, windows, "face", (64, 96)) if box]
    assert [box.height for box in wide] == [box.height for box in boxes if box]
    assert {round(box.width / box.height, 1) for box in wide} <= {1.5}
    for box, window in zip(boxes, windows, strict=True):
        assert box is not None
        assert box.width < 144  # less than the frame is high
        middle = window[len(window) // 2]
        if detected.found[0, middle]:
            x, y = detected.points[0, middle, 36:].mean(axis=0)
            assert box.left < x < box.left + box.width
            assert box.top < y < box.top + box.height
    assert detected.found[0, [w[len(w) // 2] for w in windows]].sum() >= 6


def test_unreadable_videos_are_named_with_the_reason_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = [film(tmp_path / f"{k}.avi", numbered(6)) for k in range(7)]
    text, short, cut = (tmp_path / name for name in ("text.mp4", "short.avi", "cut.avi"))
    text.write_text("no video")
    film(short, numbered(2))
    cut.write_bytes(good[0].read_bytes()[:500])
    paths = [*good, text, short, cut]
    footage = scan_footage("all", paths, Cut(time=4), "centre", 0.3)
    assert [each.path for each in footage] == good
    reasons = {
        Path(record.args[0]): str(record.args[1])  # type: ignore[index]
        for record in caplog.records
        if record.args
    }
    assert set(reasons) == {text, short, cut}
    assert "OpenCV cannot read it as a video" in reasons[text]
    assert "2 readable frames" in reasons[short]
    assert len(scan_footage("few", [*good[:2], text], Cut(time=4), "centre", 0.1)) == 2
    with pytest.raises(TooManyUnreadableError, match=r"1 of 3 videos"):
        scan_footage("none", [*good[:2], text], Cut(time=4), "centre", 0)
    with pytest.raises(TooManyUnreadableError, match=r"3 of 10 .* more than.*20%") as raised:
        scan_footage("all", paths, Cut(time=4), "centre", 0.2)
    assert all(str(path) in str(raised.value) for path in (text, short, cut))


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif"])
def test_a_picture_without_its_end_is_named(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    for number in range(4):
        cv2.imwrite(str(tmp_path / f"{number}{suffix}"), noise)
    assert len(list(frames_of(tmp_path))) == 4
    half = (tmp_path / f"2{suffix}").read_bytes()
    (tmp_path / f"2{suffix}").write_bytes(half[: len(half) // 2])
    with pytest.raises(ValueError, match=rf"OpenCV cannot read 2\{suffix}"):
        list(frames_of(tmp_path))


@pytest.mark.parametrize(
    "suffix",
    [
        *(".mp4", ".m4v", ".mov", ".avi", ".3gp", ".3g2", ".mkv", ".webm", ".mpg", ".mpeg", ".gif"),
        *(".flv", ".f4v", ".wmv", ".asf", ".ts", ".mts", ".m2ts", ".vob", ".ogv"),
    ],
)
def test_every_kind_of_video_is_found_whatever_the_case_of_its_name(
    tmp_path: Path, suffix: str
) -> None:
    (tmp_path / f"a{suffix.upper()}").touch()
    (tmp_path / "notes.txt").touch()
    assert find_footage(tmp_path) == [tmp_path / f"a{suffix.upper()}"]


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "mp4v"), ("a.avi", "MJPG")])
def test_a_video_of_which_frames_are_lost_is_refused_with_their_number(
    tmp_path: Path, name: str, codec: str
) -> None:
    noise = list(np.random.default_rng(0).integers(0, 256, (40, 64, 64, 3), np.uint8))
    path = film(tmp_path / name, noise, codec)
    assert announced_frames(path) == (40, True)
    content = bytearray(path.read_bytes())
    content[len(content) // 3 : len(content) // 3 * 2] = bytes(len(content) // 3)
    path.write_bytes(content)
    lost = 40 - sum(1 for _ in frames_of(path))
    assert lost > 4
    with pytest.raises(TooManyUnreadableError, match=rf"only {40 - lost} of its 40 frames can be"):
        scan_footage("a", [path], Cut(time=4), "none", 0)


@pytest.mark.parametrize(
    ("name", "codec", "kept"),
    [
        ("a.mkv", "mp4v", 0.5),
        ("a.webm", "VP80", 0.5),
        ("a.mkv", "mp4v", None),
        ("a.webm", "VP80", None),
        ("a.ts", "mp4v", None),
    ],
)
def test_a_damaged_file_of_uncounted_frames_is_reported_with_the_number_that_is_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, codec: str, kept: float | None
) -> None:
    """Cut off at a share of its bytes, or without those in the middle."""
    noise = list(np.random.default_rng(0).integers(0, 256, (40, 64, 64, 3), np.uint8))
    path = film(tmp_path / name, noise, codec)
    scan_footage("a", [path], Cut(time=4), "none", 0)
    assert "can be decoded" not in caplog.text
    content = path.read_bytes()
    third = len(content) // 3
    rest = content[: int(kept * len(content))] if kept else content[:third] + content[2 * third :]
    path.write_bytes(rest)
    frames = sum(1 for _ in frames_of(path))
    assert 8 <= frames < 36
    scan_footage("a", [path], Cut(time=4), "none", 0)
    assert f"{name}: only {frames} of about 40 frames can be decoded" in caplog.text


def test_a_video_whose_name_is_not_utf_8_is_named_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = film(tmp_path / "12:30.avi", numbered(12))
    bad = film(tmp_path / "a.avi", numbered(12)).rename(tmp_path / os.fsdecode(b"f\xfcr.avi"))
    folder = pictures(tmp_path / "pictures", numbered(12))
    next(folder.iterdir()).rename(folder / os.fsdecode(b"\xfc.png"))
    found = scan_footage("mine", [good, bad, folder], Cut(time=3, stride=1), "none", 0.9)
    assert [each.path for each in found] == [good]
    for name in ("f\\udcfcr.avi", "\\udcfc.png"):
        assert f"{name}' is not in UTF-8: rename it" in caplog.text
    caplog.text.encode()


def test_all_pictures_of_a_folder_must_have_one_size(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "a", numbered(5))
    cv2.imwrite(str(folder / "9.png"), np.zeros((3, 3, 3), np.uint8))
    with pytest.raises(TooManyUnreadableError, match=r"9\.png differs in size"):
        scan_footage("a", [folder], Cut(time=4), "none", 0.5)


def test_footage_is_videos_and_folders_of_pictures_that_are_not_hidden(tmp_path: Path) -> None:
    film(tmp_path / ".hidden.avi", numbered(3))
    assert find_footage(tmp_path) == find_footage(tmp_path / "missing") == []
    pictures(tmp_path / "b" / "take", numbered(2))
    film(tmp_path / "a.AVI", numbered(3))
    pictures(tmp_path / "thumbnails beside", numbered(2))
    film(tmp_path / "thumbnails beside" / "c.avi", numbered(3))
    assert find_footage(tmp_path) == [
        tmp_path / "a.AVI",
        tmp_path / "b" / "take",
        tmp_path / "thumbnails beside" / "c.avi",
    ]


def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "mine"
    pictures(elsewhere / "take", numbered(2))
    folder.mkdir()
    for name in ("one", "two"):
        (folder / name).symlink_to(elsewhere)
    (elsewhere / "back").symlink_to(folder)
    assert find_footage(folder) == [folder / "one" / "take"]


def test_clips_without_a_face_are_counted(
    carphone: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    faces = [frame for _, frame in zip(range(4), frames_of(carphone), strict=False)]
    noise = np.random.default_rng(0).integers(0, 256, (4, *faces[0].shape), np.uint8)
    path = tmp_path / "take"
    path.mkdir()
    for number, frame in enumerate([*faces, *noise]):
        cv2.imwrite(str(path / f"{number}.png"), frame[..., ::-1])
    (footage,) = scan_footage("a", [path], Cut(time=4, stride=1), "face", 0)
    assert (len(footage.windows), footage.faceless) == (1, 1)
    assert "no face in 1 of its 2 clips" in caplog.text
