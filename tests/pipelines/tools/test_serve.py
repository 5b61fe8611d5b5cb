"""A program in the background that does not become ready."""

import sys
from pathlib import Path

import pytest

from pipelines.tools import serve

# a program in the background outlives what started it
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def sleeper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Launch Python in place of Prefect, and be impatient."""
    monkeypatch.setattr(serve, "PREFECT", (sys.executable, "-c"))
    monkeypatch.setattr(serve, "FOLDER", tmp_path)
    monkeypatch.setattr(serve, "SECONDS_TO_START", 1.0)
    monkeypatch.setattr(serve, "run_processes", list)  # other runs of this checkout go on


def test_a_program_that_does_not_answer_in_time_is_ended() -> None:
    with pytest.raises(serve.ServeError, match="server did not answer within 1 s:\nhello"):
        serve.launch(
            "server", ["print('hello', flush=True); import time; time.sleep(60)"], lambda: False
        )
    assert serve.running("server") is None


def test_a_program_that_ends_is_reported_with_its_log() -> None:
    with pytest.raises(serve.ServeError, match="server ended:\nno port"):
        serve.launch("server", ["print('no port')"], lambda: False)


def test_a_program_that_still_starts_is_not_started_again(tmp_path: Path) -> None:
    forever = ["import time; time.sleep(60)"]
    serve.launch("server", forever, lambda: True)
    first = serve.running("server")
    assert first is not None
    serve.launch("server", forever, lambda: True)
    assert serve.running("server") == first
    assert "server stopped" in list(serve.stop())
    assert not first.is_running()
