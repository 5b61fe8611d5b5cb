"""Progress: a bar on a terminal, log lines elsewhere."""

import io
import logging
import sys

import pytest

from s3vae import progress
from s3vae.progress import Progress


class Clock:
    """Time that passes only when told."""

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
    """Control the time of the progress; what it logs is caught."""
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    caplog.set_level(logging.INFO, logger="s3vae")
    return clock


def test_away_from_a_terminal_there_is_a_line_every_15_seconds(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with Progress("train", 600, "steps") as bar:
        for _ in range(60):
            clock.now += 1
            bar.advance(note="loss 3")
        assert len(caplog.messages) == 4
    assert len(caplog.messages) == 5


def test_a_line_tells_what_is_done_how_fast_what_is_left_and_the_note(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    bar = Progress("train", 600, "steps")
    clock.now += 20
    bar.advance(40, note="loss 3")
    assert caplog.messages == ["train: 40/600 steps, 2.0/s, 280 s left, loss 3"]


def test_what_was_done_before_a_resume_does_not_count_as_speed(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    bar = Progress("train", 600, "steps", done=500)
    clock.now += 20
    bar.advance(20)
    assert caplog.messages == ["train: 520/600 steps, 1.0/s, 80 s left"]


@pytest.mark.usefixtures("clock")
def test_nothing_done_is_no_division_by_zero(caplog: pytest.LogCaptureFixture) -> None:
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
