"""Downloads from a mirror or from official URLs, verified by checksum."""

import gzip
import logging
import os
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import quote, urlsplit

import tenacity

from s3vae.files import checksum_of, replacing
from s3vae.progress import LOG, Progress

MIRROR = "S3VAE_MIRROR"
ATTEMPTS = 4
FIRST_DELAY, LONGEST_DELAY = 1.0, 60.0
"""Seconds before the second attempt at a source, doubled for each further one, and their limit."""
TIMEOUTS = (10.0, 60.0)
"""Seconds to wait for a connection and for the next bytes."""
TRANSIENT = {408, 425, 429, 500, 502, 503, 504}
"""HTTP status codes after which another attempt may succeed."""
CHUNK = 1 << 20
LARGE = 16 << 20
"""Bytes from which on the download of a file reports its progress."""


@dataclass(frozen=True)
class RemoteFile:
    """A file to download: its path in a mirror, its checksum and its official URLs, best first.

    A `packed` file is gzipped at its sources (`.gz` is appended to path and URLs) and stored
    unpacked. Its checksum is that of the unpacked file, since gzip files differ between sources.
    A data set can be built without its `optional` files.
    """

    path: str
    checksum: str
    urls: tuple[str, ...]
    packed: bool = False
    optional: bool = False
    algorithm: Literal["sha256", "md5"] = "sha256"

    @property
    def stored(self) -> str:
        """The path in a mirror."""
        return f"{self.path}.gz" if self.packed else self.path

    def __post_init__(self) -> None:
        """Raise ValueError for a path outside its folder or a URL that is not https."""
        path = PurePosixPath(self.path)
        if path.is_absolute() or ".." in path.parts or "\\" in self.path or not path.parts:
            raise ValueError(f"{self.path!r} must be a path below the mirror, without '..'")
        for url in self.urls:
            local = urlsplit(url).hostname in ("127.0.0.1", "localhost")
            if not url.startswith("https://") and not local:
                raise ValueError(f"{url} must begin with https:// (http is for mirrors only)")


class DownloadError(RuntimeError):
    """A file that no source provided: every source, the reason, and the remedy."""

    def __init__(self, file: RemoteFile, failures: list[str]) -> None:
        unpacked = " unpacked" if file.packed else ""
        tried = "".join(f"\n  - {failure}" for failure in failures) or "\n  (it has no source)"
        super().__init__(
            f"{file.path} could not be downloaded. Tried:{tried}\n"
            f"If this machine cannot reach them, set {MIRROR} to a folder or URL that holds "
            f"{file.stored} ({file.algorithm}{unpacked} {file.checksum}) and run again."
        )


class _UnavailableError(Exception):
    """A source that does not provide the file."""


class _InterruptedError(_UnavailableError):
    """A fault after which another attempt may succeed."""


def mirror_from_environment() -> str | None:
    """Return the folder or URL in S3VAE_MIRROR, or None if it is not set."""
    return os.environ.get(MIRROR) or None


def fetch(file: RemoteFile, folder: Path, mirror: str | None, *, attempts: int = ATTEMPTS) -> Path:
    """Return the path of a file below `folder`; download it unless it has the right checksum.

    The mirror is tried first, then the official URLs. Only transient faults are retried. Raises
    DownloadError if every source fails; then `folder` is unchanged.
    """
    target = folder / file.path
    if target.is_file() and checksum_of(target, file.algorithm) == file.checksum:
        return target
    failures = []
    for source in _sources(file, mirror):
        try:
            _retrying(attempts)(_fetch_from, source, file, target)
        except _UnavailableError as failure:
            failures.append(f"{_without_login(source)}: {failure}")
            LOG.warning("%s not taken from %s", file.path, failures[-1])
        else:
            return target
    raise DownloadError(file, failures)


def text_at(url: str) -> str:
    """Return the text at a URL, retrying after transient faults. Raises OSError."""

    def read() -> str:
        with _open_url(url) as (chunks, _):
            return b"".join(chunks).decode()

    try:
        return _retrying(ATTEMPTS)(read)
    except _UnavailableError as failure:
        raise OSError(f"{_without_login(url)}: {failure}") from failure


def _retrying(attempts: int) -> tenacity.Retrying:
    return tenacity.Retrying(
        stop=tenacity.stop_after_attempt(attempts),
        wait=tenacity.wait_exponential(FIRST_DELAY, max=LONGEST_DELAY),
        retry=tenacity.retry_if_exception_type(_InterruptedError),
        before_sleep=tenacity.before_sleep_log(LOG, logging.INFO),
        reraise=True,
    )


def _sources(file: RemoteFile, mirror: str | None) -> Iterator[str]:
    """Yield the paths and URLs of a file in the order in which they are tried."""
    if mirror is not None:
        url, path = f"{mirror.rstrip('/')}/{quote(file.stored)}", Path(mirror) / file.stored
        yield url if _is_url(mirror) else str(path.expanduser())
    yield from (f"{url}.gz" if file.packed else url for url in file.urls)


def _fetch_from(source: str, file: RemoteFile, target: Path) -> None:
    """Write `target` from one source. Raises _UnavailableError and leaves it as it was."""
    opened = _open_url(source) if _is_url(source) else _open_path(Path(source))
    with opened as (chunks, size), replacing(target) as aside:
        progress = Progress(file.path, size, "B", visible=size >= LARGE)
        with aside.open("wb") as out, progress:
            for chunk in chunks:
                out.write(chunk)
                progress.advance(len(chunk))
        if file.packed:
            _unpack(aside)
        checksum = checksum_of(aside, file.algorithm)
        if checksum != file.checksum:
            rule = f"should have {file.algorithm} {file.checksum} but has {checksum}"
            raise _UnavailableError(f"{file.path} {rule}")


def _unpack(path: Path) -> None:
    """Unpack gzip in place; other content stays, since some servers unpack what they send."""
    packed = path.replace(path.with_name(f"{path.name}.gz"))
    try:
        with gzip.open(packed) as source, path.open("wb") as out:
            shutil.copyfileobj(source, out)
    except gzip.BadGzipFile:
        packed.replace(path)
    except (EOFError, zlib.error) as error:
        raise _InterruptedError(f"its gzip is incomplete or damaged ({error})") from error


@contextmanager
def _open_path(path: Path) -> Iterator[tuple[Iterator[bytes], int]]:
    """Open a file of a mirror folder; yield its chunks and its size in bytes."""
    try:
        opened = path.open("rb")
    except OSError as error:
        raise _UnavailableError(error.strerror or type(error).__name__) from error
    with opened as stream:
        yield iter(lambda: stream.read(CHUNK), b""), os.fstat(stream.fileno()).st_size


@contextmanager
def _open_url(url: str) -> Iterator[tuple[Iterator[bytes], int]]:
    """Open a URL; yield its chunks and its size in bytes (0 if the server does not state it)."""
    import requests  # only machines that download load it

    try:
        # as stored: `identity` forbids compression on the way
        plain = {"Accept-Encoding": "identity"}
        with requests.get(url, stream=True, timeout=TIMEOUTS, headers=plain) as answer:
            if not answer.ok:
                kind = _InterruptedError if answer.status_code in TRANSIENT else _UnavailableError
                raise kind(f"HTTP {answer.status_code} {answer.reason}")
            yield answer.iter_content(CHUNK), int(answer.headers.get("Content-Length", 0))
    except (requests.ConnectionError, requests.Timeout) as error:
        raise _InterruptedError(f"no connection ({type(error).__name__})") from error
    except requests.exceptions.ChunkedEncodingError as error:
        raise _InterruptedError("the connection broke before the end of the file") from error
    except requests.RequestException as error:
        # its text may hold the login of a mirror
        raise _UnavailableError(type(error).__name__) from error


def _is_url(source: str) -> bool:
    return source.startswith(("http://", "https://"))


def _without_login(source: str) -> str:
    """Remove user name and password from a URL."""
    if not _is_url(source):
        return source
    parts = urlsplit(source)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
