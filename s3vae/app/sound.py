"""The sound of a video, as MP4 files hold it."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from s3vae.data.media import PICTURES
from s3vae.progress import LOG

AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
"""Samples per second that AAC can have and browsers play."""
MOST_OVERLAP = 0.5
"""Seconds by which sound may begin before the sound that precedes it ends."""


def sound_of(path: Path | None, until: float) -> Iterator[Any]:
    """Yield the sound of a video until a time in seconds after its first frame, if it has any.

    Where its time stamps start anew, as in files that were joined, it ends with a warning.
    """
    import av

    if path is None or not path.is_file() or path.suffix.lower() in PICTURES:
        return
    with av.open(str(path.absolute())) as source:
        if not source.streams.audio:
            return
        stream, pictures = source.streams.audio[0], source.streams.video[0]
        begin = float((pictures.start_time or 0) * (pictures.time_base or 0))
        rate = stream.rate if stream.rate in AAC_RATES else 48_000
        layout = "mono" if stream.channels == 1 else "stereo"
        due = 0
        resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate)
        for decoded in _decoded(source.demux(stream), path):
            for each in resampler.resample(decoded):
                time = (each.time or 0.0) - begin
                each.pts, each.time_base = round(time * rate), Fraction(1, rate)
                if time >= until:
                    return
                if due and each.pts < due - MOST_OVERLAP * rate:
                    LOG.warning("%s: no sound after %.1f s: its times restart", path, due / rate)
                    return
                if each.pts >= 0:
                    due = each.pts + each.samples
                    yield each


def _decoded(packets: Iterable[Any], path: Path) -> Iterator[Any]:
    """Decode packets; log it if some of them are damaged, and leave those out."""
    import av

    damaged = 0
    for packet in packets:
        try:
            yield from packet.decode()
        except av.error.FFmpegError:
            damaged += 1
    if damaged:
        LOG.warning("%s: %d damaged packets of its sound are left out", path, damaged)
