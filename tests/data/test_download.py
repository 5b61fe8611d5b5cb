"""Downloads: from the first source that provides the right bytes, or not at all."""

import gzip
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from s3vae.data import download
from s3vae.data.download import DownloadError, RemoteFile, fetch, mirror_from_environment

CONTENT = bytes(range(256)) * 40
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PATH = "sprites/body/0 a.png"
ZIPPED = gzip.compress(CONTENT)
HTML = b"<html>sign in</html>"

RIGHT = (200, CONTENT, len(CONTENT))
WRONG = (200, HTML, len(HTML))
CUT = (200, CONTENT[:100], len(CONTENT))
BUSY = (503, b"", 0)
GONE = (404, b"", 0)


@dataclass
class Server:
    """A local web server that gives `answers` in turn, and repeats the last one."""

    answers: list[tuple[int, bytes, int]]
    requests: list[str] = field(default_factory=list)
    url: str = ""

    def next_answer(self, path: str) -> tuple[int, bytes, int]:
        self.requests.append(path)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def server(serve: Callable[[Callable[[str], tuple[int, bytes, int]]], str]) -> Server:
    """Serve the answers that each test sets."""
    state = Server([GONE])
    state.url = serve(state.next_answer)
    return state


@pytest.fixture(autouse=True)
def short_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "FIRST_DELAY", 0.001)


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """Make a mirror folder with the file, plain and packed."""
    path = tmp_path / "mirror" / PATH
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    path.with_name(f"{path.name}.gz").write_bytes(ZIPPED)
    return tmp_path / "mirror"


def get(folder: Path, mirror: str | Path | None, *urls: str, packed: bool = False) -> Path:
    place = None if mirror is None else str(mirror)
    file = RemoteFile(PATH, SHA256, urls, packed=packed)
    return fetch(file, folder / "raw", place, attempts=3)


def files_in(folder: Path) -> list[Path]:
    """List every file below the folder of downloads, hidden ones too."""
    return [path for path in (folder / "raw").rglob("*") if path.is_file()]


@pytest.mark.parametrize("packed", [False, True])
def test_a_mirror_folder_is_tried_first(
    tmp_path: Path, mirror: Path, server: Server, packed: bool
) -> None:
    path = get(tmp_path, mirror, f"{server.url}/official", packed=packed)
    assert path == tmp_path / "raw" / PATH
    assert path.read_bytes() == CONTENT
    assert server.requests == []
    assert files_in(tmp_path) == [path]


def test_a_mirror_may_be_a_url(tmp_path: Path, server: Server) -> None:
    server.answers = [RIGHT]
    assert get(tmp_path, f"{server.url}/mirror/").read_bytes() == CONTENT
    assert server.requests == ["/mirror/sprites/body/0%20a.png"]


def test_a_present_file_is_kept_if_right_and_replaced_if_wrong(
    tmp_path: Path, mirror: Path
) -> None:
    path = tmp_path / "raw" / PATH
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half of it")
    assert get(tmp_path, mirror).read_bytes() == CONTENT
    before = path.stat()
    assert get(tmp_path, None) == path
    assert path.stat() == before


@pytest.mark.parametrize("faults", [[BUSY, BUSY], [CUT]])
def test_transient_faults_are_retried(
    tmp_path: Path, server: Server, faults: list[tuple[int, bytes, int]]
) -> None:
    server.answers = [*faults, RIGHT]
    assert get(tmp_path, None, f"{server.url}/official").read_bytes() == CONTENT
    assert server.requests == ["/official"] * (len(faults) + 1)


@pytest.mark.parametrize(
    ("answer", "attempts", "reason"),
    [
        (BUSY, 3, "HTTP 503"),
        (CUT, 3, "the connection broke before the end of the file"),
        (GONE, 1, "HTTP 404"),
        (
            WRONG,
            1,
            f"{PATH} should have sha256 {SHA256} but has {hashlib.sha256(HTML).hexdigest()}",
        ),
    ],
)
def test_after_the_last_attempt_the_error_names_the_reason_and_the_folder_is_unchanged(
    tmp_path: Path, server: Server, answer: tuple[int, bytes, int], attempts: int, reason: str
) -> None:
    older = tmp_path / "raw" / PATH
    older.parent.mkdir(parents=True)
    older.write_bytes(b"an older version")
    server.answers = [answer]
    with pytest.raises(DownloadError) as failed:
        get(tmp_path, None, f"{server.url}/official")
    assert f"{server.url}/official: {reason}" in str(failed.value)
    assert len(server.requests) == attempts
    assert files_in(tmp_path) == [older]
    assert older.read_bytes() == b"an older version"


def test_after_a_wrong_checksum_the_next_source_is_tried(
    tmp_path: Path, mirror: Path, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    (mirror / PATH).write_bytes(b"altered")
    server.answers = [RIGHT]
    with caplog.at_level(logging.WARNING, "s3vae"):
        assert get(tmp_path, mirror, f"{server.url}/official").read_bytes() == CONTENT
    assert f"not taken from {mirror / PATH}" in caplog.text


def test_the_error_names_every_source_and_how_to_set_the_mirror(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    dead = "http://127.0.0.1:9"
    with pytest.raises(DownloadError) as failed:
        get(tmp_path, tmp_path / "empty", f"{dead}/one", f"{dead}/two")
    message = str(failed.value)
    missing = tmp_path / "empty" / PATH
    for tried in (f"{missing}: No such file", f"{dead}/one: no", f"{dead}/two: no"):
        assert tried in message
    assert f"set S3VAE_MIRROR to a folder or URL that holds {PATH}" in message


@pytest.mark.parametrize("answer", [GONE, BUSY])
def test_the_login_of_a_mirror_is_neither_raised_nor_logged(
    tmp_path: Path, server: Server, answer: tuple[int, bytes, int], caplog: pytest.LogCaptureFixture
) -> None:
    server.answers = [answer]
    with caplog.at_level(logging.INFO, "s3vae"), pytest.raises(DownloadError) as failed:
        get(tmp_path, server.url.replace("://", "://user:secret@"))
    assert "secret" not in str(failed.value) + caplog.text
    assert server.url in str(failed.value)


@pytest.mark.parametrize("path", ["../a", "a/../../b", "/etc/passwd", "a\\..\\..\\b", ""])
def test_a_path_cannot_lead_out_of_the_mirror(path: str) -> None:
    with pytest.raises(ValueError, match="must be a path below the mirror"):
        RemoteFile(path, SHA256, ())


@pytest.mark.parametrize("url", ["http://example.org/a", "ftp://example.org/a", "/a", "file:///a"])
def test_an_official_url_is_https(url: str) -> None:
    with pytest.raises(ValueError, match="must begin with https://"):
        RemoteFile(PATH, SHA256, (url,))


@pytest.mark.parametrize(("value", "mirror"), [("/srv/mirror", "/srv/mirror"), ("", None)])
def test_the_environment_names_the_mirror(
    monkeypatch: pytest.MonkeyPatch, value: str, mirror: str | None
) -> None:
    monkeypatch.setenv("S3VAE_MIRROR", value)
    assert mirror_from_environment() == mirror


@pytest.mark.parametrize("body", [ZIPPED, CONTENT], ids=["packed", "unpacked by the server"])
def test_a_packed_file_is_requested_by_its_packed_name_and_stored_unpacked(
    tmp_path: Path, server: Server, body: bytes
) -> None:
    server.answers = [(200, body, len(body))]
    path = get(tmp_path, None, f"{server.url}/digits", packed=True)
    assert server.requests == ["/digits.gz"]
    assert path.read_bytes() == CONTENT
    assert files_in(tmp_path) == [path]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (ZIPPED[:-9], "incomplete or damaged"),
        (ZIPPED[:30] + b"damage" + ZIPPED[36:], "incomplete or damaged|should have sha256"),
        (HTML, "should have sha256"),
    ],
)
def test_a_damaged_packed_file_is_refused_and_nothing_is_left(
    tmp_path: Path, server: Server, body: bytes, reason: str
) -> None:
    server.answers = [(200, body, len(body))]
    with pytest.raises(DownloadError, match=reason) as failed:
        get(tmp_path, None, f"{server.url}/digits", packed=True)
    assert f"holds {PATH}.gz (sha256 unpacked {SHA256})" in str(failed.value)
    assert files_in(tmp_path) == []


@pytest.mark.parametrize(("large", "lines"), [(len(CONTENT), 1), (len(CONTENT) + 1, 0)])
def test_only_large_files_report_progress(
    tmp_path: Path,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    large: int,
    lines: int,
) -> None:
    monkeypatch.setattr(download, "LARGE", large)
    server.answers = [RIGHT]
    with caplog.at_level(logging.INFO, "s3vae"):
        get(tmp_path, None, f"{server.url}/official")
    assert caplog.text.count(f"{PATH}: {len(CONTENT)}/{len(CONTENT)} B") == lines
