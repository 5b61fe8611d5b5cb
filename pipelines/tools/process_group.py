"""Run a command so that all its processes end with the process that started it, even if killed.

`python -m pipelines.tools.process_group COMMAND ...` runs a command until it ends or until its own
standard input is closed; then it stops the command and all that the command has started. The
system closes that pipe even when the process at its other end is killed.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

SECONDS_TO_END = 10.0
"""The time between the request to terminate and the kill."""


@contextmanager
def process_group(
    command: Sequence[str], environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Start a command with both output streams in one pipe; the block's end stops its processes."""
    with subprocess.Popen(
        [sys.executable, "-m", "pipelines.tools.process_group", *command],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as leader:
        assert leader.stdin is not None  # as requested above
        try:
            yield leader
        finally:
            leader.stdin.close()
            leader.wait()


def lead(command: Sequence[str]) -> int:
    """Run the command; return its exit code, 128 + n if signal n ended it."""
    signal.signal(signal.SIGTERM, lambda *_: None)  # a handler is not inherited by the command
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0) as child:
        threading.Thread(target=end_with_starter, args=(child.pid,), daemon=True).start()
        code = child.wait()
    end(child.pid)
    return code if code >= 0 else 128 - code


def end_with_starter(group: int) -> None:
    """Wait until the other end of standard input is closed, then end the group."""
    while os.read(0, 1 << 10):  # sys.stdin would hold a lock when this process ends
        pass
    end(group)


def end(group: int) -> None:
    """Terminate all processes of a group; kill those that do not end in time."""
    with suppress(ProcessLookupError):  # none is left
        os.killpg(group, signal.SIGTERM)
        last = time.monotonic() + SECONDS_TO_END
        while time.monotonic() < last:
            os.killpg(group, 0)
            time.sleep(0.05)
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(lead(sys.argv[1:]))
