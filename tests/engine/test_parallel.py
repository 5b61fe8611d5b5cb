"""However many processes share a training, it is the same one."""

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
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node")
SECONDS = 120


def trained(data: Path, folder: Path, processes: int) -> subprocess.CompletedProcess[str]:
    """Train to the end; every process leaves its weights and its history in `result`."""
    told = [SCRIPT, data, folder / "checkpoints", 0, folder / "result"]
    return subprocess.run(
        [*TORCHRUN, str(processes), *map(str, told)],
        check=True,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def weights(folder: Path, rank: int) -> dict[str, torch.Tensor]:
    return load_file(folder / "result" / str(rank) / WEIGHTS)


def shown(folder: Path, rank: int) -> dict[str, torch.Tensor]:
    return load_file(folder / "result" / str(rank) / "shown.safetensors")


def history(folder: Path, rank: int) -> list[dict[str, float]]:
    rows: list[dict[str, float]] = json.loads(
        (folder / "result" / str(rank) / "history.json").read_text()
    )
    return rows


@pytest.fixture(scope="module")
def alone(squares_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("alone")
    trained(squares_folder, folder, 1)
    return folder


@pytest.fixture(scope="module")
def both(squares_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("both")
    trained(squares_folder, folder, 2)
    return folder


def test_two_processes_come_to_the_model_of_one(alone: Path, both: Path) -> None:
    """To its codes and pictures: of weights before a normalization not all are determined."""
    one, *shared = (shown(folder, rank) for folder, rank in ((alone, 0), (both, 0), (both, 1)))
    for other in shared:
        for name, numbers in one.items():
            assert torch.allclose(numbers, other[name], rtol=1e-6, atol=1e-6), name


def test_they_log_the_losses_of_whole_batches(alone: Path, both: Path) -> None:
    for one, shared in zip(history(alone, 0), history(both, 0), strict=True):
        assert shared == pytest.approx(one, rel=1e-6, abs=1e-6)
    assert history(both, 0) == history(both, 1)


def test_a_killed_training_of_two_goes_on_to_the_same_bytes(
    squares_folder: Path, tmp_path: Path, both: Path
) -> None:
    told = [SCRIPT, squares_folder, tmp_path / "checkpoints", 0.2, tmp_path / "unused"]
    running = subprocess.Popen(
        [*TORCHRUN, "2", *map(str, told)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stderr=subprocess.DEVNULL,
    )
    checkpoint = tmp_path / "checkpoints" / "tiny.safetensors"
    while not checkpoint.exists():
        assert running.poll() is None
    trainers = psutil.Process(running.pid).children(recursive=True)
    running.kill()
    running.wait()
    _, left = psutil.wait_procs(trainers, SECONDS)
    assert not left, "trainers outlive what has started them"
    with safe_open(checkpoint, framework="pt") as file:
        assert int(file.metadata()["step"]) < 39
    trained(squares_folder, tmp_path, 2)
    assert history(tmp_path, 0) == history(both, 0)
    for name, weight in weights(both, 0).items():
        assert torch.equal(weight, weights(tmp_path, 0)[name]), name


def test_a_process_alone_is_the_main_one_and_has_the_whole_batch() -> None:
    assert is_main_process()
    assert parallel.own_share(7) == slice(0, 7)
    assert parallel.sharded(torch.exp) is torch.exp


def test_a_batch_that_does_not_divide_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "world_size", lambda: 2)
    with pytest.raises(ValueError, match=r"batch of 7 clips .* 2 processes: choose a batch_size"):
        parallel.own_share(7)


def test_processes_that_see_other_checkpoints_do_not_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def exchange(steps: list[torch.Tensor], mine: torch.Tensor) -> None:
        steps[0].copy_(mine)
        steps[1].zero_()

    cpu = torch.device("cpu")
    monkeypatch.setattr(parallel, "world_size", lambda: 2)
    monkeypatch.setattr(parallel.distributed, "all_gather", exchange)
    parallel.require_same_step(0, cpu)
    with pytest.raises(RuntimeError, match=r"from steps \[250, 0\]: they must use the same"):
        parallel.require_same_step(250, cpu)
