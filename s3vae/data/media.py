"""The videos below a folder, which are files or folders of pictures, and their frames."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float64, UInt8
from numpy import ndarray
from PIL import Image

from s3vae.data.headers import fault_of_pictures, is_mirrored
from s3vae.data.rates import increasing

COUNTED = {".mp4", ".m4v", ".mov", ".avi", ".3gp", ".3g2"}
"""The kinds of video files whose header has the number of frames; of others it is estimated."""
VIDEOS = COUNTED | {
    *(".mkv", ".webm", ".mpg", ".mpeg", ".gif", ".flv", ".f4v", ".wmv", ".asf"),
    *(".ts", ".mts", ".m2ts", ".vob", ".ogv"),
}
PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff"}
TRANSPARENT = {".png", ".webp"}
"""The kinds of pictures that can be transparent; OpenCV lays TIFF over black."""
CUT_SHORT = {".jpg", ".jpeg"}
"""The kinds of pictures that OpenCV reads without their end."""
FASTEST = 300
"""Frames per second above which a header has the resolution of its clock in place of its rate."""


def files_below(folder: Path) -> list[Path]:
    """List the files that are not hidden, in order of path; links to folders are followed.

    A folder that is reached twice is listed once.
    """
    files, seen = [], set()
    for place, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        folders[:] = [] if real in seen else sorted(n for n in folders if not n.startswith("."))
        if real not in seen:
            files += [Path(place, name) for name in names if not name.startswith(".")]
        seen.add(real)
    return sorted(files)


def find_footage(folder: Path) -> list[Path]:
    """List the video files and folders of pictures below a folder, in order of path.

    A video file may take the place of the folder. Pictures beside videos (thumbnails) are ignored.
    """
    below = [folder] if folder.is_file() else files_below(folder)
    pictures = {path.parent for path in below if path.suffix.lower() in PICTURES}
    videos = {path for path in below if path.suffix.lower() in VIDEOS}
    return sorted(videos | (pictures - {path.parent for path in videos}))


def pictures_of(folder: Path) -> list[Path]:
    """List the pictures of a folder, in order of name: 2.png is before 10.png."""
    return sorted(
        (
            path
            for path in folder.iterdir()
            if path.suffix.lower() in PICTURES and not path.name.startswith(".")
        ),
        key=_natural_order,
    )


def _natural_order(path: Path) -> tuple[list[str | int], str]:
    parts = re.split(r"(\d+)", path.name.casefold())
    return [int(part) if part.isdecimal() else part for part in parts], path.name


def frames_of(path: Path) -> Iterator[UInt8[ndarray, "height width 3"]]:
    """Read the RGB frames of a video file, or of a folder of pictures in order of name."""
    read = _pictures(path) if path.is_dir() else _video(path)
    for frame in read:
        yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)


def picture(path: Path) -> UInt8[ndarray, "height width 3"]:
    """Read one picture as RGB. Raises ValueError if it cannot be read."""
    return cv2.cvtColor(_picture(path), cv2.COLOR_BGR2RGB)


def frame_times(path: Path) -> Float64[ndarray, " frame"]:
    """Return the time (seconds) of each frame of a video, later than that of the one before.

    It is NaN for pictures and without time stamps.
    """
    if path.is_dir():
        return np.full(sum(1 for _ in _pictures(path)), np.nan)
    with _opened(path) as capture:
        times = []
        while capture.grab():
            times.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
    return increasing(np.array(times))


def announced_frames(path: Path) -> tuple[int, bool]:
    """Return the number of frames by the header of a video, and whether it was counted.

    It is 0 if the header has none; otherwise, if not counted, it is estimated from the duration.
    """
    if path.is_dir():
        return 0, True
    with _opened(path) as capture:
        count, rate = capture.get(cv2.CAP_PROP_FRAME_COUNT), capture.get(cv2.CAP_PROP_FPS)
    known = count > 0 and 0 < rate <= FASTEST
    return int(count) if known else 0, path.suffix.lower() in COUNTED


def _video(path: Path) -> Iterator[ndarray]:
    """Read the frames of a video, turned, mirrored and with square pixels, as players show them."""
    with _opened(path) as capture:
        # OpenCV turns frames, but neither mirrors them nor applies the aspect of a pixel
        sideways = capture.get(cv2.CAP_PROP_ORIENTATION_META) % 180 != 0
        flip = int(sideways) if is_mirrored(path) else None
        aspect = capture.get(cv2.CAP_PROP_SAR_NUM) / (capture.get(cv2.CAP_PROP_SAR_DEN) or 1) or 1
        while (read := capture.read())[0]:
            frame = read[1] if flip is None else cv2.flip(read[1], flip)
            height, width = frame.shape[:2]
            shown = round(width * (1 / aspect if sideways else aspect))
            yield frame if shown == width else cv2.resize(frame, (shown, height))


def _name_for_opencv(path: Path) -> str:
    """Return the absolute path: of a relative one FFmpeg reads what precedes a colon as a protocol.

    Raises ValueError for a path on which OpenCV would crash.
    """
    name = str(path.absolute())
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"the path {str(path)!a} is not in UTF-8: rename it") from error
    return name


@contextmanager
def _opened(path: Path) -> Iterator[cv2.VideoCapture]:
    """Open a video. Raises ValueError, with the remedy, if its frames would be wrong."""
    capture = cv2.VideoCapture(_name_for_opencv(path), cv2.CAP_FFMPEG)
    try:
        if not capture.isOpened():
            raise ValueError("OpenCV cannot read it as a video")
        tag = int(capture.get(cv2.CAP_PROP_CODEC_PIXEL_FORMAT)) & 0xFFFFFFFF
        if fault := fault_of_pictures(path, tag.to_bytes(4, "little")):
            raise ValueError(fault)
        yield capture
    finally:
        capture.release()


def _pictures(folder: Path) -> Iterator[ndarray]:
    """Read the pictures of a folder. Raises ValueError unless all are readable and of one size."""
    size = None
    for path in pictures_of(folder):
        read = _picture(path)
        size = size or read.shape
        if read.shape != size:
            raise ValueError(f"{path.name} differs in size from the pictures before it")
        yield read


def _picture(path: Path) -> ndarray:
    name = _name_for_opencv(path)
    read = cv2.imread(name, cv2.IMREAD_COLOR)
    if read is None or (path.suffix.lower() in CUT_SHORT and _is_cut_short(path)):
        raise ValueError(f"OpenCV cannot read {path.name} as a picture, or not all of it")
    if (count := cv2.imcount(name)) > 1:
        raise ValueError(f"{path.name} holds {count} pictures: save each as a file of its own")
    return _on_black(read, path)


def _is_cut_short(path: Path) -> bool:
    """Return whether the end of a picture is missing, in whose place OpenCV gives grey."""
    try:
        with Image.open(path) as file:
            file.load()
    except OSError:
        return True
    return False


def _on_black(picture: ndarray, path: Path) -> ndarray:
    """Lay a picture of a file over black where the file is transparent."""
    if path.suffix.lower() not in TRANSPARENT:
        return picture
    with Image.open(path) as header:  # reads no pixels
        if not header.has_transparency_data:
            return picture
    layers = cv2.imread(_name_for_opencv(path), cv2.IMREAD_UNCHANGED)
    if layers is None or layers.shape != (*picture.shape[:2], 4):
        raise ValueError(f"{path.name} has transparency that cannot be read: save it as RGBA")
    opacity = layers[..., 3:] / (255 if layers.dtype == np.uint8 else 65535)
    return np.round(picture * opacity).astype(np.uint8)
