"""Laws of work spread over cores."""

import os

import pytest

from s3vae.processes import AT_ONCE, FEW, cores, in_processes


def worker_and_power(base: int, exponent: int) -> tuple[int, int]:
    """Who computed it, and what."""
    return os.getpid(), base**exponent


def test_the_environment_says_how_many_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3VAE_WORKERS", "7")
    assert cores() == 7
    monkeypatch.delenv("S3VAE_WORKERS")
    assert cores() >= 1


@pytest.mark.parametrize("workers", ["1", "2"])
def test_results_come_in_order_at_any_number_of_cores(
    monkeypatch: pytest.MonkeyPatch, workers: str
) -> None:
    monkeypatch.setenv("S3VAE_WORKERS", workers)
    bases = range(FEW + 2 * AT_ONCE)
    done = list(in_processes(worker_and_power, bases, [2] * len(bases)))
    assert [power for _, power in done] == [base**2 for base in bases]
    assert (os.getpid() in {worker for worker, _ in done}) == (workers == "1")


def test_a_few_items_are_not_worth_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3VAE_WORKERS", "2")
    assert {worker for worker, _ in in_processes(worker_and_power, [1, 2], [3, 4])} == {os.getpid()}
