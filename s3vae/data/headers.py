"""What the header of a video file says about its pictures, beyond what OpenCV tells or applies."""

import re
import struct
from pathlib import Path

HEAD = 1 << 16
"""Bytes at the start of a file that hold its header, unless it has a box `moov` (MP4, MOV)."""
HDR = re.compile(rb"colrncl[cx]..\x00[\x10\x12]|\x55\xba\x81[\x10\x12]", re.DOTALL)
"""The transfer functions PQ (16) and HLG (18) of ITU-T H.273, in MP4 or in Matroska."""
ALPHA = re.compile(rb"\x53\xc0\x81\x01")
"""The element AlphaMode of Matroska."""
ALPHA_FORMATS = re.compile(rb"[YG]4[\x00\x0a\x0b][\x08-\x10]|Y2\x00.", re.DOTALL)
"""FFmpeg's tags of pixel formats with alpha. RGBA is read as RGB: most videos in it are opaque, as
are all that OpenCV writes without loss."""
TRACK = re.compile(rb"tkhd(?:\x00.{39}|\x01.{51})(.{36})", re.DOTALL)
"""The header of a track in MP4, with its display matrix."""
TO_SDR = (
    "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable,"
    "zscale=t=bt709:m=bt709:r=tv,format=yuv420p"
)
VPX = {b"V_VP8": "-c:v libvpx ", b"V_VP9": "-c:v libvpx-vp9 "}
ON_BLACK = "premultiply=inplace=1,format=yuv420p"


def header_of(path: Path) -> bytes:
    """Return the box `moov` of a file, or its start if there is none."""
    with path.open("rb") as file:
        start = file.read(HEAD)
        file.seek(0)
        while len(box := file.read(8)) == 8:
            size, kind = struct.unpack(">I4s", box)
            left = int.from_bytes(file.read(8)) - 16 if size == 1 else size - 8
            if kind == b"moov":
                return file.read(left)
            if left < 0:
                break
            file.seek(left, 1)
    return start


def fault_of_pictures(path: Path, pixel_format: bytes) -> str | None:
    """Return why the pictures of a video would have wrong colours, with the remedy, or None.

    Transparent parts of a GIF are white, as in most viewers.
    """
    if path.suffix.lower() == ".gif":
        return None
    header = header_of(path)
    if HDR.search(header):
        return f"it is HDR, whose colours would be wrong: convert it by {_conversion(path, TO_SDR)}"
    if ALPHA.search(header) or ALPHA_FORMATS.fullmatch(pixel_format):
        # FFmpeg's own decoders of VP8 and VP9 pass over the transparency
        decoder = next((each for mark, each in VPX.items() if mark in header), "")
        conversion = _conversion(path, ON_BLACK, decoder)
        return f"it has transparency: lay it over a background by {conversion}"
    return None


def _conversion(path: Path, filters: str, decoder: str = "") -> str:
    return f'ffmpeg {decoder}-i "{path}" -vf "{filters}" "{path.stem}-converted.mp4"'


def is_mirrored(path: Path) -> bool:
    """Return whether the display matrix of an MP4 file mirrors its pictures."""
    matrices = (struct.unpack(">9i", each) for each in TRACK.findall(header_of(path)))
    return any(a * d < b * c for a, b, _, c, d, *_ in matrices)
