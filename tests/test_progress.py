"""Progress: a bar on a terminal, log lines elsewhere."""

import io
import logging
import sys

import pytest

from s3vae import progress
from s3vae.progress import Progress


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


class Terminal(io.StringIO):
    """A standard error that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Clock:
    """Control the time of the progress and capture its log."""
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    caplog.set_level(logging.INFO, logger="s3vae")
    return clock


def test_without_a_terminal_there_is_a_line_every_15_seconds(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with Progress("train", 600, "steps") as bar:
        for _ in range(60):
            clock.now += 1
            bar.advance(note="loss 3")
        assert len(caplog.messages) == 4
    assert len(caplog.messages) == 5


@pytest.mark.parametrize(
    ("done", "steps", "note", "line"),
    [
        (0, 40, "loss 3", "train: 40/600 steps, 2.0/s, 280 s left, loss 3"),
        (500, 20, "", "train: 520/600 steps, 1.0/s, 80 s left"),
    ],
    ids=["new", "resumed"],
)
def test_a_line_has_count_speed_of_this_process_time_left_and_note(
    done: int, steps: int, note: str, line: str, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    bar = Progress("train", 600, "steps", done=done)
    clock.now += 20
    bar.advance(steps, note=note)
    assert caplog.messages == [line]


@pytest.mark.usefixtures("clock")
def test_a_progress_without_steps_has_a_line_too(caplog: pytest.LogCaptureFixture) -> None:
    with Progress("flow", 0, "shards"):
        pass
    assert caplog.messages == ["flow: 0/0 shards, 0.0/s, inf s left"]


def test_on_a_terminal_there_is_a_bar_and_no_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="s3vae")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Progress("train", 3, "steps") as bar:
        for _ in range(3):
            bar.advance(note="loss 3")
    assert "train: 100%" in terminal.getvalue()
    assert "3/3" in terminal.getvalue()
    assert not caplog.messages
