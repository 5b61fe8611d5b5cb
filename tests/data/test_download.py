"""Downloads: from the first source that gives the right bytes, or not at all."""

import gzip
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from s3vae.data.download import DownloadError, RemoteFile, fetch, mirror_from_environment

CONTENT = bytes(range(256)) * 40
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PATH = "sprites/body/0 a.png"


@dataclass
class Server:
    """A web server on this machine that answers with what `answers` hold, the last one for ever."""

    answers: list[tuple[int, bytes, int]]
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def next_answer(self, path: str) -> tuple[int, bytes, int]:
        self.asked.append(path)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


RIGHT = (200, CONTENT, len(CONTENT))
WRONG = (200, b"<html>sign in</html>", 20)
CUT = (200, CONTENT[:100], len(CONTENT))
BUSY = (503, b"", 0)
GONE = (404, b"", 0)


@pytest.fixture
def server(serve: Callable[[Callable[[str], tuple[int, bytes, int]]], str]) -> Server:
    """Serve the answers that each test sets."""
    state = Server([GONE])
    state.url = serve(state.next_answer)
    return state


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """Make a mirror folder with the file."""
    path = tmp_path / "mirror" / PATH
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    return tmp_path / "mirror"


def wanted(*urls: str) -> RemoteFile:
    return RemoteFile(PATH, SHA256, urls)


def get(folder: Path, mirror: str | Path | None, *urls: str) -> Path:
    place = None if mirror is None else str(mirror)
    return fetch(wanted(*urls), folder / "raw", place, attempts=3, first_delay=0.001)


def left_in(folder: Path) -> list[Path]:
    """Every file below the folder of downloads, hidden ones too."""
    return [path for path in (folder / "raw").rglob("*") if path.is_file()]


def test_a_mirror_folder_is_asked_first(tmp_path: Path, mirror: Path, server: Server) -> None:
    path = get(tmp_path, mirror, f"{server.url}/official")
    assert path == tmp_path / "raw" / PATH
    assert path.read_bytes() == CONTENT
    assert server.asked == []
    assert left_in(tmp_path) == [path]


def test_a_mirror_may_be_a_url(tmp_path: Path, server: Server) -> None:
    server.answers = [RIGHT]
    assert get(tmp_path, f"{server.url}/mirror/").read_bytes() == CONTENT
    assert server.asked == ["/mirror/sprites/body/0%20a.png"]


def test_what_is_there_and_right_is_kept(tmp_path: Path, mirror: Path) -> None:
    path = get(tmp_path, mirror)
    before = path.stat()
    assert get(tmp_path, None) == path
    assert path.stat() == before


def test_what_is_there_and_wrong_is_replaced(tmp_path: Path, mirror: Path) -> None:
    path = tmp_path / "raw" / PATH
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half of it")
    assert get(tmp_path, mirror).read_bytes() == CONTENT


def test_a_busy_server_is_asked_again(tmp_path: Path, server: Server) -> None:
    server.answers = [BUSY, BUSY, RIGHT]
    assert get(tmp_path, None, f"{server.url}/official").read_bytes() == CONTENT
    assert server.asked == ["/official"] * 3


def test_a_body_cut_short_is_asked_for_again(tmp_path: Path, server: Server) -> None:
    server.answers = [CUT, RIGHT]
    assert get(tmp_path, None, f"{server.url}/official").read_bytes() == CONTENT
    assert len(server.asked) == 2


def test_the_attempts_end(tmp_path: Path, server: Server) -> None:
    server.answers = [BUSY]
    with pytest.raises(DownloadError, match="/official: HTTP 503"):
        get(tmp_path, None, f"{server.url}/official")
    assert len(server.asked) == 3


def test_a_body_that_is_always_cut_short_leaves_nothing(tmp_path: Path, server: Server) -> None:
    server.answers = [CUT]
    with pytest.raises(DownloadError, match="broke before the end"):
        get(tmp_path, None, f"{server.url}/official")
    assert left_in(tmp_path) == []


def test_a_missing_file_is_asked_for_once(tmp_path: Path, server: Server) -> None:
    with pytest.raises(DownloadError, match="/official: HTTP 404"):
        get(tmp_path, None, f"{server.url}/official")
    assert len(server.asked) == 1


def test_a_wrong_checksum_names_file_sums_and_source(tmp_path: Path, server: Server) -> None:
    server.answers = [WRONG]
    with pytest.raises(DownloadError) as failed:
        get(tmp_path, None, f"{server.url}/official")
    message = str(failed.value)
    found = hashlib.sha256(WRONG[1]).hexdigest()
    assert f"{server.url}/official: {PATH} should have sha256 {SHA256} but has {found}" in message
    assert len(server.asked) == 1
    assert left_in(tmp_path) == []


def test_after_a_wrong_checksum_the_next_source_is_tried(
    tmp_path: Path, mirror: Path, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    (mirror / PATH).write_bytes(b"altered")
    server.answers = [RIGHT]
    with caplog.at_level(logging.WARNING, "s3vae"):
        assert get(tmp_path, mirror, f"{server.url}/official").read_bytes() == CONTENT
    assert f"not taken from {mirror / PATH}" in caplog.text


def test_a_wrong_checksum_keeps_what_was_there(tmp_path: Path, server: Server) -> None:
    path = tmp_path / "raw" / PATH
    path.parent.mkdir(parents=True)
    path.write_bytes(b"an older version")
    server.answers = [WRONG]
    with pytest.raises(DownloadError):
        get(tmp_path, None, f"{server.url}/official")
    assert path.read_bytes() == b"an older version"


def test_with_no_source_at_all_the_error_tells_how_to_set_the_mirror(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    dead = "http://127.0.0.1:9"
    with pytest.raises(DownloadError) as failed:
        get(tmp_path, tmp_path / "empty", f"{dead}/one", f"{dead}/two")
    message = str(failed.value)
    for tried in (
        f"{tmp_path / 'empty' / PATH}: No such file",
        f"{dead}/one: no",
        f"{dead}/two: no",
    ):
        assert tried in message
    assert f"set S3VAE_MIRROR to a folder or URL that holds {PATH}" in message


def test_the_login_of_a_mirror_is_not_told(tmp_path: Path, server: Server) -> None:
    with pytest.raises(DownloadError) as failed:
        get(tmp_path, server.url.replace("://", "://user:secret@"))
    assert "secret" not in str(failed.value)
    assert server.url in str(failed.value)


@pytest.mark.parametrize("path", ["../a", "a/../../b", "/etc/passwd", "a\\..\\..\\b", ""])
def test_a_path_cannot_lead_out_of_the_mirror(path: str) -> None:
    with pytest.raises(ValueError, match="must be a path below the mirror"):
        RemoteFile(path, SHA256, ())


@pytest.mark.parametrize("url", ["http://example.org/a", "ftp://example.org/a", "/a", "file:///a"])
def test_an_official_url_is_https(url: str) -> None:
    with pytest.raises(ValueError, match="must begin with https://"):
        wanted(url)


def test_the_mirror_is_looked_up_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3VAE_MIRROR", "/srv/mirror")
    assert mirror_from_environment() == "/srv/mirror"
    monkeypatch.setenv("S3VAE_MIRROR", "")
    assert mirror_from_environment() is None
    monkeypatch.delenv("S3VAE_MIRROR")
    assert mirror_from_environment() is None


def packed(**changes: Any) -> RemoteFile:
    """A file that its sources hold gzipped."""
    return RemoteFile(**({"path": "mnist/digits", "checksum": SHA256, "packed": True} | changes))


def test_a_packed_file_is_kept_unpacked(tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    (mirror / "mnist").mkdir(parents=True)
    (mirror / "mnist" / "digits.gz").write_bytes(gzip.compress(CONTENT))
    found = fetch(packed(urls=()), tmp_path / "raw", str(mirror))
    assert found == tmp_path / "raw" / "mnist" / "digits"
    assert found.read_bytes() == CONTENT


def test_a_packed_file_is_asked_for_by_its_packed_name(tmp_path: Path, server: Server) -> None:
    body = gzip.compress(CONTENT)
    server.answers = [(200, body, len(body))]
    fetch(packed(urls=(f"{server.url}/digits",)), tmp_path, None)
    assert server.asked == ["/digits.gz"]


def test_a_packed_file_that_its_server_unpacks_is_taken(tmp_path: Path, server: Server) -> None:
    server.answers = [RIGHT]
    found = fetch(packed(urls=(f"{server.url}/digits",)), tmp_path, None)
    assert found.read_bytes() == CONTENT


def test_the_error_names_a_packed_file_as_a_mirror_must_hold_it(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"holds mnist/digits\.gz \(sha256 unpacked"):
        fetch(packed(urls=()), tmp_path, None)


@pytest.mark.parametrize("body", [gzip.compress(CONTENT)[:-9], b"<html>sign in</html>"])
def test_a_packed_file_that_is_not_whole_leaves_nothing(
    body: bytes, tmp_path: Path, server: Server
) -> None:
    server.answers = [(200, body, len(body))]
    with pytest.raises(DownloadError, match=r"sha256|breaks off"):
        fetch(packed(urls=(f"{server.url}/digits",)), tmp_path, None, first_delay=0)
    assert not list(tmp_path.rglob("*digits*"))
