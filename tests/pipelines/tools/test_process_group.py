"""Commands whose processes end with their starter: real processes, really killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from pipelines.tools.process_group import process_group

FAMILY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""
STARTER = """
import sys, time
from pipelines.tools.process_group import process_group
with process_group([sys.executable, "-c", sys.argv[1]]) as running:
    print(running.stdout.readline(), flush=True)
    time.sleep(600)
"""


def is_gone(pid: int, seconds: float = 20) -> bool:
    """Return whether a process ends in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("end", "code"),
    [("sys.exit(7)", 7), ("os.kill(os.getpid(), signal.SIGKILL)", 128 + signal.SIGKILL)],
)
def test_output_and_exit_code_are_those_of_the_command(end: str, code: int) -> None:
    program = f"import os, signal, sys; print(os.getcwd(), flush=True); {end}"
    with process_group([sys.executable, "-c", program]) as running:
        assert running.stdout.read().split() == [str(Path.cwd())]
        assert running.wait() == code


@pytest.mark.parametrize("deaf", [False, True])
def test_all_processes_end_with_the_block(deaf: bool) -> None:
    ignore = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" if deaf else ""
    with process_group([sys.executable, "-c", ignore + FAMILY]) as running:
        grandchild = int(running.stdout.readline())
        begun = time.monotonic()
    assert deaf == (5 < time.monotonic() - begun < 30)
    assert is_gone(running.pid)
    assert is_gone(grandchild)


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
def test_all_processes_end_with_a_killed_starter(sent: signal.Signals) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, FAMILY], stdout=subprocess.PIPE, text=True
    )
    with starter:
        grandchild = int(starter.stdout.readline())
        family = psutil.Process(starter.pid).children(recursive=True)
        os.kill(starter.pid, sent)
    assert grandchild in [each.pid for each in family]
    assert all(is_gone(each.pid) for each in family)


@pytest.mark.parametrize("deaf", ["", "signal.signal(signal.SIGTERM, signal.SIG_IGN);"])
def test_the_processes_of_a_killed_command_end(deaf: str) -> None:
    left = f"import signal, time; {deaf} print(flush=True); time.sleep(600)"
    program = f"""
import os, signal, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {left!r}], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    with process_group([sys.executable, "-c", program]) as running:
        grandchild = int(running.stdout.readline())
        assert running.wait() == 128 + signal.SIGKILL
        assert is_gone(grandchild, seconds=1)
