"""Files from elsewhere: from a mirror or their official place, whole and with the right sha256."""

import hashlib
import logging
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import quote, urlsplit

import tenacity

from s3vae.files import checksum_of, replacing
from s3vae.progress import Progress

LOG = logging.getLogger("s3vae")
MIRROR = "S3VAE_MIRROR"
ATTEMPTS = 4
FIRST_DELAY = 1.0
"""Seconds before the second attempt at a source; each further delay is twice the last."""
LONGEST_DELAY = 60.0
PATIENCE = (10.0, 60.0)
"""Seconds to wait for a connection and for the next bytes."""
TRANSIENT = {408, 425, 429, 500, 502, 503, 504}
"""The HTTP answers that another attempt may change."""
CHUNK = 1 << 20
GZIP = b"\x1f\x8b"
BIG = 16 << 20
"""Bytes from which on a file shows its progress."""


@dataclass(frozen=True)
class RemoteFile:
    """A file to download: its path in a mirror, its checksum and its official URLs, best first.

    A packed one is gzipped at its sources, as `<path>.gz` (and so are the URLs), and kept unpacked;
    the sum is that of the unpacked file, for packed ones differ from source to source. Without an
    optional one its data set can do.
    """

    path: str
    checksum: str
    urls: tuple[str, ...]
    packed: bool = False
    optional: bool = False
    algorithm: Literal["sha256", "md5"] = "sha256"
    """What the checksum is: sha256, or md5 where its source gives no better one."""

    @property
    def stored(self) -> str:
        """Its path in a mirror."""
        return f"{self.path}.gz" if self.packed else self.path

    def __post_init__(self) -> None:
        """Raise ValueError for a path that leads out of its folder or a URL that is not safe."""
        path = PurePosixPath(self.path)
        if path.is_absolute() or ".." in path.parts or "\\" in self.path or not path.parts:
            raise ValueError(f"{self.path!r} must be a path below the mirror, without '..'")
        for url in self.urls:
            if not _is_safe(url):
                raise ValueError(f"{url} must begin with https:// (http is for mirrors only)")


class DownloadError(RuntimeError):
    """A file that no source gave: what was tried, what went wrong there, and the mend."""

    def __init__(self, file: RemoteFile, failures: list[str]) -> None:
        unpacked = " unpacked" if file.packed else ""
        tried = "".join(f"\n  - {failure}" for failure in failures) or "\n  (it has no source)"
        super().__init__(
            f"{file.path} could not be downloaded. Tried:{tried}\n"
            f"If this machine cannot reach them, set {MIRROR} to a folder or URL that holds "
            f"{file.stored} ({file.algorithm}{unpacked} {file.checksum}) and run again."
        )


class _Unavailable(Exception):
    """Why a source does not give the file."""


class _Interrupted(_Unavailable):
    """The same, where another attempt may help."""


def mirror_from_environment() -> str | None:
    """Look up S3VAE_MIRROR: a folder or a URL, or None where it is not set."""
    return os.environ.get(MIRROR) or None


def fetch(
    file: RemoteFile,
    folder: Path,
    mirror: str | None,
    *,
    attempts: int = ATTEMPTS,
    first_delay: float = FIRST_DELAY,
) -> Path:
    """Make sure that `folder` has the file, and say where: what is there and right is kept.

    The mirror is asked first, then the official URLs; only transient failures are tried again.
    Raises DownloadError if none gives the right bytes; then nothing new is left behind.
    """
    target = folder / file.path
    if target.is_file() and checksum_of(target, file.algorithm) == file.checksum:
        return target
    persistent = _persistent(attempts, first_delay)
    failures = []
    for source in _sources(file, mirror):
        try:
            persistent(_fetch_from, source, file, target)
        except _Unavailable as failure:
            failures.append(f"{_without_login(source)}: {failure}")
            LOG.warning("%s not taken from %s", file.path, failures[-1])
        else:
            return target
    raise DownloadError(file, failures)


def text_at(url: str, *, attempts: int = ATTEMPTS, first_delay: float = FIRST_DELAY) -> str:
    """What a URL answers; only transient failures are tried again. Raises OSError that says why."""

    def read() -> bytes:
        with _opened_url(url) as (chunks, _):
            return b"".join(chunks)

    try:
        return _persistent(attempts, first_delay)(read).decode()
    except _Unavailable as failure:
        raise OSError(f"{_without_login(url)}: {failure}") from failure


def _persistent(attempts: int, first_delay: float) -> tenacity.Retrying:
    """What tries again where that may help, each time later."""
    return tenacity.Retrying(
        stop=tenacity.stop_after_attempt(attempts),
        wait=tenacity.wait_exponential(first_delay, max=LONGEST_DELAY),
        retry=tenacity.retry_if_exception_type(_Interrupted),
        before_sleep=tenacity.before_sleep_log(LOG, logging.INFO),
        reraise=True,
    )


def _sources(file: RemoteFile, mirror: str | None) -> Iterator[str]:
    """Name every place of the file in the order they are asked, each a path or a URL."""
    if mirror is not None and _is_url(mirror):
        yield f"{mirror.rstrip('/')}/{quote(file.stored)}"
    elif mirror is not None:
        yield str(Path(mirror).expanduser() / file.stored)
    yield from (f"{url}.gz" if file.packed else url for url in file.urls)


def _fetch_from(source: str, file: RemoteFile, target: Path) -> None:
    """Write `target` from one source, or raise _Unavailable and leave it as it was."""
    digest = hashlib.new(file.algorithm)
    opened = _opened_url(source) if _is_url(source) else _opened_path(Path(source))
    with opened as (chunks, size), replacing(target) as aside:
        watched = Progress(file.path, size, "B") if size >= BIG else nullcontext()
        with aside.open("wb") as out, watched as progress:
            watched_chunks = _watched(chunks, progress)
            for chunk in _unpacked(watched_chunks) if file.packed else watched_chunks:
                out.write(chunk)
                digest.update(chunk)
        if digest.hexdigest() != file.checksum:
            raise _Unavailable(
                f"{file.path} should have {file.algorithm} {file.checksum} but has "
                f"{digest.hexdigest()}"
            )


def _watched(chunks: Iterator[bytes], progress: Progress | None) -> Iterator[bytes]:
    """The same chunks; `progress` hears of each."""
    for chunk in chunks:
        if progress is not None:
            progress.advance(len(chunk))
        yield chunk


def _unpacked(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """What gzipped chunks hold; others as they are, for some servers unpack what they send."""
    first = next(chunks, b"")
    if not first.startswith(GZIP):
        yield from chain([first], chunks)
        return
    unpack = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        for chunk in chain([first], chunks):
            yield unpack.decompress(chunk)
    except zlib.error as error:
        raise _Unavailable(f"it is not whole gzip: {error}") from error
    if not unpack.eof:
        raise _Interrupted("the file breaks off before its end")


@contextmanager
def _opened_path(path: Path) -> Iterator[tuple[Iterator[bytes], int]]:
    """Open a file of a mirror folder: its chunks and its size in bytes."""
    try:
        opened = path.open("rb")
    except OSError as error:
        raise _Unavailable(error.strerror or type(error).__name__) from error
    with opened as stream:
        yield iter(lambda: stream.read(CHUNK), b""), os.fstat(stream.fileno()).st_size


@contextmanager
def _opened_url(url: str) -> Iterator[tuple[Iterator[bytes], int]]:
    """Ask for a URL: its chunks and its size in bytes, 0 if the server does not say."""
    import requests  # only machines that download pay for it

    try:
        # Bytes as they are stored, not as the server may pack them on the way.
        plain = {"Accept-Encoding": "identity"}
        with requests.get(url, stream=True, timeout=PATIENCE, headers=plain) as answer:
            if not answer.ok:
                kind = _Interrupted if answer.status_code in TRANSIENT else _Unavailable
                raise kind(f"HTTP {answer.status_code} {answer.reason}")
            yield answer.iter_content(CHUNK), int(answer.headers.get("Content-Length", 0))
    except (requests.ConnectionError, requests.Timeout) as error:
        raise _Interrupted(f"no connection ({type(error).__name__})") from error
    except requests.exceptions.ChunkedEncodingError as error:
        raise _Interrupted("the connection broke before the end of the file") from error
    except requests.RequestException as error:
        raise _Unavailable(f"{type(error).__name__}: {error}") from error


def _is_url(source: str) -> bool:
    return source.startswith(("http://", "https://"))


def _is_safe(url: str) -> bool:
    """Tell whether only its owner can answer for it: https, or this very machine."""
    return url.startswith("https://") or urlsplit(url).hostname in ("127.0.0.1", "localhost")


def _without_login(source: str) -> str:
    """Leave out the name and password that a mirror's URL may hold: errors end up in logs."""
    if not _is_url(source):
        return source
    parts = urlsplit(source)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
