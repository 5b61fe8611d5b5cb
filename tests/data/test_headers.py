"""Odd videos and pictures: shown as players show them, or refused with the remedy."""

import re
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy import ndarray
from PIL import Image

from s3vae.data.crops import Box
from s3vae.data.footage import Cut, TooManyUnreadableError, scan_footage
from s3vae.data.headers import fault_of_pictures
from s3vae.data.media import frames_of

HEIGHT, WIDTH = 32, 48
QUARTERS = np.array([[[220, 30, 30], [30, 220, 30]], [[30, 30, 220], [200, 200, 200]]], np.uint8)
PICTURE = QUARTERS.repeat(HEIGHT // 2, axis=0).repeat(WIDTH // 2, axis=1)
"""Red beside green, above blue beside grey."""
DISPLAY_UNIT = b"\x54\xb2\x81\x04"
"""An element of Matroska that OpenCV writes, as long as those that tests put in its place."""


def film(path: Path, codec: str = "mp4v") -> bytes:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 10, (WIDTH, HEIGHT))
    assert writer.isOpened()
    for _ in range(6):
        writer.write(PICTURE[..., ::-1])
    writer.release()
    return path.read_bytes()


def film_with(path: Path, matrix: tuple[int, ...] = (1, 0, 0, 1), box: bytes = b"") -> Path:
    """Write an MP4 file with this display matrix, and with one more box about its pictures."""
    content = bytearray(film(path))
    a, b, c, d = (each << 16 for each in matrix)
    start = content.index(b"tkhd") + 44
    content[start : start + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    start, end = 0, 0
    for outer in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"mp4v"):
        start = content.index(outer, start) - 4
        size = struct.unpack_from(">I", content, start)[0]
        struct.pack_into(">I", content, start, size + len(box))
        start, end = start + 8, start + size
    content[end:end] = box
    path.write_bytes(content)
    return path


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def quarters(frame: ndarray) -> ndarray:
    """Return the colours in the middle of the four quarters of a frame."""
    height, width = frame.shape[:2]
    return frame[height // 4 :: height // 2, width // 4 :: width // 2].astype(int)


@pytest.mark.parametrize(
    ("matrix", "shown"),
    [
        ((1, 0, 0, 1), QUARTERS),
        ((0, 1, -1, 0), np.rot90(QUARTERS, -1)),
        ((-1, 0, 0, -1), np.rot90(QUARTERS, 2)),
        ((0, -1, 1, 0), np.rot90(QUARTERS)),
        ((-1, 0, 0, 1), QUARTERS[:, ::-1]),
        ((1, 0, 0, -1), QUARTERS[::-1]),
        ((0, 1, 1, 0), QUARTERS.swapaxes(0, 1)),
        ((0, -1, -1, 0), np.rot90(QUARTERS, 2).swapaxes(0, 1)),
    ],
)
def test_frames_are_turned_and_mirrored_as_the_display_matrix_says(
    tmp_path: Path, matrix: tuple[int, ...], shown: ndarray
) -> None:
    frame = next(frames_of(film_with(tmp_path / "a.mp4", matrix)))
    assert abs(quarters(frame) - shown).max() <= 6
    assert frame.shape[:2] == ((HEIGHT, WIDTH) if matrix[0] else (WIDTH, HEIGHT))


@pytest.mark.parametrize(
    ("aspect", "matrix", "shape"),
    [
        ((2, 1), (1, 0, 0, 1), (HEIGHT, 2 * WIDTH)),
        ((1, 2), (1, 0, 0, 1), (HEIGHT, WIDTH // 2)),
        ((1, 1), (1, 0, 0, 1), (HEIGHT, WIDTH)),
        ((2, 1), (0, 1, -1, 0), (WIDTH, HEIGHT // 2)),
    ],
)
def test_frames_have_square_pixels(
    tmp_path: Path, aspect: tuple[int, int], matrix: tuple[int, ...], shape: tuple[int, int]
) -> None:
    path = film_with(tmp_path / "a.mp4", matrix, box(b"pasp", struct.pack(">2I", *aspect)))
    frame = next(frames_of(path))
    assert frame.shape[:2] == shape
    assert abs(quarters(frame) - (QUARTERS if matrix[0] else np.rot90(QUARTERS, -1))).max() <= 6
    (footage,) = scan_footage("a", [path], Cut(time=3), "none", 0)
    assert footage.boxes[0] == Box(0, 0, shape[1], shape[0])


def test_hdr_is_refused_with_a_conversion_and_other_colours_are_not(tmp_path: Path) -> None:
    for transfer in (16, 18):
        path = film_with(
            tmp_path / "my hdr.mp4",
            box=box(b"colr", struct.pack(">4s3Hb", b"nclx", 9, transfer, 9, 0)),
        )
        with pytest.raises(
            TooManyUnreadableError, match=r'it is HDR.*ffmpeg -i ".*my hdr.mp4" -vf'
        ):
            scan_footage("a", [path], Cut(time=3), "none", 0)
    plain = box(b"colr", struct.pack(">4s3Hb", b"nclx", 1, 1, 1, 0))
    assert len(list(frames_of(film_with(tmp_path / "a.mp4", box=plain)))) == 6


@pytest.mark.parametrize(
    ("element", "fault"),
    [(b"\x55\xba\x81\x10", "HDR"), (b"\x55\xba\x81\x12", "HDR"), (b"\x53\xc0\x81\x01", "transp")],
)
def test_matroska_says_the_same_in_its_own_way(tmp_path: Path, element: bytes, fault: str) -> None:
    path = tmp_path / "a.mkv"
    content = film(path)
    assert content.count(DISPLAY_UNIT) == 1
    assert len(list(frames_of(path))) == 6
    path.write_bytes(content.replace(DISPLAY_UNIT, element))
    with pytest.raises(ValueError, match=fault):
        next(frames_of(path))


@pytest.mark.parametrize("tag", [b"Y4\x0b\x08", b"G4\x00\x0a", b"Y2\x00\x08"])
def test_a_video_with_transparency_is_refused_with_a_conversion(tag: bytes, tmp_path: Path) -> None:
    film(tmp_path / "a.avi", "MJPG")
    fault = fault_of_pictures(tmp_path / "a.avi", tag)
    assert fault is not None
    assert re.search(r'has transparency: .*ffmpeg -i ".*a\.avi".*premultiply', fault)
    assert fault_of_pictures(tmp_path / "a.avi", b"Y42B") is None  # 4:2:2, without alpha


@pytest.mark.parametrize("codec", ["RGBA", "FFV1"])
def test_videos_in_rgba_which_are_mostly_opaque_are_read(codec: str, tmp_path: Path) -> None:
    film(tmp_path / "a.avi", codec)
    assert len(list(frames_of(tmp_path / "a.avi"))) == 6


@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_transparent_pictures_are_laid_over_black(tmp_path: Path, suffix: str) -> None:
    opacity = np.full((HEIGHT, WIDTH), 255, np.uint8)
    opacity[: HEIGHT // 2, : WIDTH // 2] = 0
    opacity[HEIGHT // 2 :, : WIDTH // 2] = 51
    for number, alpha in enumerate((opacity, np.full_like(opacity, 255))):
        picture = Image.fromarray(np.dstack([PICTURE, alpha]))
        picture.save(tmp_path / f"{number}.{suffix}", lossless=True)
    transparent, opaque = frames_of(tmp_path)
    assert quarters(transparent)[:, 0].tolist() == [[0, 0, 0], [6, 6, 44]]
    assert (quarters(transparent)[:, 1] == QUARTERS[:, 1]).all()
    assert (opaque == PICTURE).all()


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_pictures_of_16_bits_have_the_same_grey_levels(tmp_path: Path, suffix: str) -> None:
    cv2.imwrite(str(tmp_path / f"a.{suffix}"), PICTURE[..., ::-1].astype(np.uint16) * 257)
    (frame,) = frames_of(tmp_path)
    assert abs(frame.astype(int) - PICTURE).max() <= 1
