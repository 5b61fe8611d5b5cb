"""A training shared by several processes is the training of one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from s3vae.engine import parallel
from s3vae.processes import is_main_process
from s3vae.weights import WEIGHTS

SCRIPT = Path(__file__).parent / "tiny_training.py"
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
SECONDS = 120
Running = subprocess.Popen[bytes]


def started(launcher: tuple[str, ...], data: Path, folder: Path, pause: float = 0) -> Running:
    """Start a training; every process leaves its weights, outputs and history in `result`."""
    arguments = (SCRIPT, data, folder / "checkpoints", pause, folder / "result")
    return subprocess.Popen(
        [*launcher, *map(str, arguments)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stderr=subprocess.DEVNULL,
    )


def killed_after_the_first_checkpoint(running: Running, checkpoint: Path) -> None:
    """Kill the process that started the trainers, which must end too."""
    while not checkpoint.exists():
        assert running.poll() is None
    trainers = psutil.Process(running.pid).children(recursive=True)
    running.kill()
    running.wait()
    _, left = psutil.wait_procs(trainers, SECONDS)
    assert not left, "trainers outlive the process that started them"
    with safe_open(checkpoint, framework="pt") as file:
        assert int(file.metadata()["step"]) < 23


def result(folder: Path, rank: int, name: str) -> dict[str, torch.Tensor]:
    return load_file(folder / "result" / str(rank) / name)


def history(folder: Path, rank: int) -> list[dict[str, float]]:
    rows: list[dict[str, float]] = json.loads(
        (folder / "result" / str(rank) / "history.json").read_text()
    )
    return rows


@pytest.fixture(scope="module")
def alone(squares_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("alone")
    assert started((sys.executable,), squares_folder, folder).wait(SECONDS) == 0
    return folder


@pytest.fixture(scope="module")
def both(squares_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training of two processes that was killed and resumed."""
    folder = tmp_path_factory.mktemp("both")
    running = started(TORCHRUN, squares_folder, folder, pause=0.2)
    killed_after_the_first_checkpoint(running, folder / "checkpoints" / "tiny.safetensors")
    assert started(TORCHRUN, squares_folder, folder).wait(SECONDS) == 0
    return folder


def test_two_processes_train_the_model_of_one_also_after_a_kill(alone: Path, both: Path) -> None:
    """Its codes and frames: weights before a normalization are not all determined."""
    expected = result(alone, 0, "outputs.safetensors")
    for rank in (0, 1):
        outputs = result(both, rank, "outputs.safetensors")
        torch.testing.assert_close(outputs, expected, rtol=1e-6, atol=1e-6)


def test_both_processes_log_the_losses_of_whole_batches(alone: Path, both: Path) -> None:
    for one, shared in zip(history(alone, 0), history(both, 0), strict=True):
        assert shared == pytest.approx(one, rel=1e-6, abs=1e-6)
    assert history(both, 0) == history(both, 1)


@pytest.mark.slow
def test_a_killed_training_of_two_processes_resumes_to_the_same_bytes(
    squares_folder: Path, tmp_path: Path, both: Path
) -> None:
    assert started(TORCHRUN, squares_folder, tmp_path).wait(SECONDS) == 0
    assert history(tmp_path, 0) == history(both, 0)
    weights, uninterrupted = result(both, 0, WEIGHTS), result(tmp_path, 0, WEIGHTS)
    torch.testing.assert_close(weights, uninterrupted, rtol=0, atol=0)


def test_a_single_process_is_the_main_one_and_has_the_whole_batch() -> None:
    assert is_main_process()
    assert parallel.own_share(7) == slice(0, 7)
    assert parallel.sharded(torch.exp) is torch.exp


def test_a_batch_that_cannot_be_divided_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "world_size", lambda: 2)
    with pytest.raises(ValueError, match=r"batch of 7 clips .* 2 processes: choose a batch_size"):
        parallel.own_share(7)


def test_processes_with_different_checkpoints_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def exchange(steps: list[torch.Tensor], mine: torch.Tensor) -> None:
        steps[0].copy_(mine)
        steps[1].zero_()

    cpu = torch.device("cpu")
    monkeypatch.setattr(parallel, "world_size", lambda: 2)
    monkeypatch.setattr(parallel.distributed, "all_gather", exchange)
    parallel.require_same_step(0, cpu)
    with pytest.raises(RuntimeError, match=r"from steps \[250, 0\]: they must use the same"):
        parallel.require_same_step(250, cpu)
