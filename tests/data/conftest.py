"""A local web server for tests of downloads, and the mirror with the real data sets."""

import http.server
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

Answer = Callable[[str], tuple[int, bytes, int]]
"""Maps the requested path to status, body and the announced length."""


@contextmanager
def listening(answer: Answer) -> Iterator[str]:
    """Run a server and yield its URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body, length = answer(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Answer], str]]:
    """Start servers, without a proxy, that stop when the test ends."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ExitStack() as servers:
        yield lambda answer: servers.enter_context(listening(answer))


@pytest.fixture(scope="session")
def mirror_with() -> Callable[[str], str]:
    """Return the mirror that holds the folder of a data set, or skip the test."""
    mirror = os.environ.get("S3VAE_MIRROR") or str(Path(__file__).parents[3] / "shared" / "mirror")

    def require(folder: str) -> str:
        if "://" not in mirror and not Path(mirror, folder).is_dir():
            pytest.skip(f"{mirror} has no {folder}: set S3VAE_MIRROR")
        return mirror

    return require
