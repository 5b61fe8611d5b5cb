"""Laws of the parallel map over processes."""

import os
import subprocess
import sys

import pytest

from s3vae.processes import BLOCK, FEW, cores, in_processes

SECONDS = 20


def test_the_environment_sets_the_number_of_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3VAE_WORKERS", "7")
    assert cores() == 7
    monkeypatch.delenv("S3VAE_WORKERS")
    assert cores() >= 1


@pytest.mark.parametrize("workers", ["1", "2"])
def test_results_are_in_order_at_any_number_of_cores(
    monkeypatch: pytest.MonkeyPatch, workers: str
) -> None:
    monkeypatch.setenv("S3VAE_WORKERS", workers)
    bases = range(FEW + 2 * BLOCK)
    assert list(in_processes(pow, bases, [2] * len(bases))) == [base**2 for base in bases]


@pytest.mark.parametrize(("items", "workers"), [(FEW, 2), (FEW + 1, 1), (FEW + 1, 2)])
def test_processes_start_only_for_many_items_and_several_cores(
    monkeypatch: pytest.MonkeyPatch, items: int, workers: int
) -> None:
    monkeypatch.setenv("S3VAE_WORKERS", str(workers))
    parents = set(in_processes(subprocess.getoutput, ["echo $PPID"] * items))
    assert (parents == {str(os.getpid())}) == (items <= FEW or workers == 1)


def test_an_error_in_a_process_is_raised_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3VAE_WORKERS", "2")
    with pytest.raises(ZeroDivisionError, match="division"):
        list(in_processes(divmod, [1] * (FEW + 1), [1] * FEW + [0]))


def test_no_process_outlives_a_killed_parent() -> None:
    work = f"""
import os
from s3vae.processes import in_processes
list(in_processes(os.system, ["echo $PPID; sleep 0.2"] * {FEW + 1}))
"""
    started = subprocess.Popen(
        [sys.executable, "-c", work],
        stdout=subprocess.PIPE,
        env=os.environ | {"S3VAE_WORKERS": "2"},
    )
    assert started.stdout is not None
    assert int(started.stdout.readline()) != started.pid
    started.kill()
    # the pipe ends only when its last writer has ended
    started.communicate(timeout=SECONDS)
