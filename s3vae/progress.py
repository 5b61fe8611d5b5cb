"""Progress with the remaining time: a bar on a terminal, log lines elsewhere."""

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

Unit = TypeVar("Unit")
LOG = logging.getLogger("s3vae")
SECONDS_BETWEEN_LINES = 15.0


class Progress:
    """A counter of `total` units of work, and a context manager.

    On a terminal it is a tqdm bar; elsewhere it logs a line every 15 seconds and one at the end. If
    not `visible`, it writes nothing, for processes that share the work of another one.
    """

    def __init__(
        self, label: str, total: int, unit: str, done: int = 0, *, visible: bool = True
    ) -> None:
        self.label, self.total, self.unit, self.done = label, total, unit, done
        self._visible = visible
        self._start, self._done_before = time.monotonic(), done
        self._last_line = self._start
        self._bar = (
            tqdm(total=total, initial=done, desc=label, unit=unit, dynamic_ncols=True)
            if visible and sys.stderr.isatty()
            else None
        )

    def advance(self, count: int = 1, note: str = "") -> None:
        """Count finished units; `note` (a loss, a file name) is appended to the line."""
        self.done += count
        if self._bar is not None:
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(count)
        elif self._visible and time.monotonic() - self._last_line >= SECONDS_BETWEEN_LINES:
            self._last_line = time.monotonic()
            LOG.info("%s", self._line(note))

    def counting(self, units: Iterable[Unit]) -> Iterator[Unit]:
        """Yield units of work, and count each once the next one is asked for."""
        for unit in units:
            yield unit
            self.advance()

    def _line(self, note: str) -> str:
        elapsed = time.monotonic() - self._start
        rate = (self.done - self._done_before) / max(elapsed, 1e-9)
        left = (self.total - self.done) / rate if rate > 0 else float("inf")
        line = (
            f"{self.label}: {self.done}/{self.total} {self.unit}, {rate:.1f}/s, {left:.0f} s left"
        )
        return f"{line}, {note}" if note else line

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()
        elif self._visible:
            LOG.info("%s", self._line(""))
