"""Commands whose whole family ends with whoever started them, however that one ends.

`python -m pipelines.tools.process_group COMMAND ...` runs a command until it ends, or until nobody
holds the other end of its standard input: then the command and all that it has started are
stopped. The system closes that end even when its holder is killed.
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
"""What those that are told to end are given, before they are killed."""


@contextmanager
def guarded(
    command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """The running command, its output (both streams) to be read; it ends with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.tools.process_group", *command],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    assert process.stdin is not None  # as asked for
    assert process.stdout is not None
    try:
        yield process
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def guard(command: Sequence[str]) -> int:
    """Run the command as one family with this process; its exit code, 128 + n if signal n ended it.

    This process must lead the family (`start_new_session`).
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=_end_when_told) as child:
        threading.Thread(target=_end_with_the_starter, daemon=True).start()
        code = child.wait()
    end_the_rest()
    return code if code >= 0 else 128 - code


def end_the_rest() -> None:
    """End what the command has left of the family, if it was killed say; this process stays."""
    left = list(others())
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    for process in psutil.wait_procs(left, SECONDS_TO_END)[1]:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def others() -> Iterator[psutil.Process]:
    """The processes of this one's family, whoever started them."""
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and os.getpgid(process.pid) == os.getpgid(0):
                yield process
        except ProcessLookupError:
            continue  # over already


def _end_when_told() -> None:
    """In the child: what this process ignores, the command shall not."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _end_with_the_starter() -> None:
    """Wait until nobody is at the other end, then end the family."""
    while os.read(0, 1 << 10):  # Python's own reader would hold a lock when this process ends
        pass
    end_the_rest()


if __name__ == "__main__":
    sys.exit(guard(sys.argv[1:]))
