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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

SECONDS_TO_END = 10.0
"""The time between the request to terminate and the kill."""


@contextmanager
def process_group(
    command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Start a command with both output streams in one pipe; the block's end stops its processes."""
    with subprocess.Popen(
        [sys.executable, "-m", "pipelines.tools.process_group", *command],
        cwd=folder,
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
    """Run the command; return its exit code, 128 + n if signal n ended it.

    This process must lead its group (`start_new_session`).
    """
    signal.signal(signal.SIGTERM, lambda *_: None)  # a handler is not inherited by the command
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as child:
        threading.Thread(target=end_with_starter, daemon=True).start()
        code = child.wait()
    end_others()
    return code if code >= 0 else 128 - code


def end_with_starter() -> None:
    """Wait until the other end of standard input is closed, then stop the group."""
    while os.read(0, 1 << 10):  # sys.stdin would hold a lock when this process ends
        pass
    end_others()


def end_others() -> None:
    """Terminate all other processes of this group; kill those that do not end in time."""
    os.killpg(0, signal.SIGTERM)
    for process in psutil.wait_procs(list(others()), SECONDS_TO_END)[1]:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def others() -> Iterator[psutil.Process]:
    """Yield the other processes of this process's group."""
    for process in psutil.process_iter():
        with suppress(ProcessLookupError):  # it has ended meanwhile
            if process.pid != os.getpid() and os.getpgid(process.pid) == os.getpgid(0):
                yield process


if __name__ == "__main__":
    sys.exit(lead(sys.argv[1:]))
