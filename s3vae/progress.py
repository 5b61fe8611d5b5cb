"""Progress with an ETA: a bar on a terminal, plain log lines elsewhere."""

import logging
import sys
import time

from tqdm import tqdm

LOG = logging.getLogger("s3vae")
SECONDS_BETWEEN_LINES = 15.0


class Progress:
    """Counts `total` units of work; a context manager whose `advance` is called as work is done.

    On a terminal it is a tqdm bar; elsewhere a log line every 15 seconds, and one at the end. Not
    `shown`, it keeps silent: another process tells of the same work.
    """

    def __init__(
        self, label: str, total: int, unit: str, done: int = 0, *, shown: bool = True
    ) -> None:
        self.label, self.total, self.unit, self.done = label, total, unit, done
        self._shown = shown
        self._begun_at, self._begun_with = time.monotonic(), done
        self._line_at = self._begun_at
        self._bar = (
            tqdm(total=total, initial=done, desc=label, unit=unit, dynamic_ncols=True)
            if shown and sys.stderr.isatty()
            else None
        )

    def advance(self, count: int = 1, note: str = "") -> None:
        """`count` more units are done; `note` (a loss, a file name) is shown beside the count."""
        self.done += count
        if self._bar is not None:
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(count)
        elif self._shown and time.monotonic() - self._line_at >= SECONDS_BETWEEN_LINES:
            self._line_at = time.monotonic()
            LOG.info("%s", self._line(note))

    def _line(self, note: str) -> str:
        elapsed = time.monotonic() - self._begun_at
        rate = (self.done - self._begun_with) / max(elapsed, 1e-9)
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
        elif self._shown:
            LOG.info("%s", self._line(""))
