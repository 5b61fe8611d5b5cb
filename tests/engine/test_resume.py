"""A training that is interrupted and resumed ends in the same bytes."""

import random
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from s3vae.engine.checkpoint import History
from s3vae.training.objective import Objective
from s3vae.weights import WEIGHTS, save_weights

SCRIPT = Path(__file__).parent / "tiny_training.py"
Train = Callable[..., tuple[Objective, History]]


@pytest.fixture(scope="module")
def tiny_training() -> dict[str, object]:
    return runpy.run_path(str(SCRIPT))


@pytest.fixture(scope="module")
def train(tiny_training: dict[str, object]) -> Train:
    return tiny_training["train"]  # type: ignore[return-value]


@pytest.fixture(scope="module")
def uninterrupted(
    train: Train, squares_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[bytes, History]:
    folder = tmp_path_factory.mktemp("uninterrupted")
    objective, history = train(squares_folder, folder)
    return written(objective, folder), history


def written(objective: Objective, folder: Path) -> bytes:
    """The bytes of all weights and buffers."""
    save_weights(objective, folder)
    return (folder / WEIGHTS).read_bytes()


def test_an_interrupted_training_ends_in_the_same_bytes(
    train: Train,
    tiny_training: dict[str, object],
    squares_folder: Path,
    tmp_path: Path,
    uninterrupted: tuple[bytes, History],
) -> None:
    """Stopped before the first checkpoint, between two, at one, and right before the end."""
    for step in (2, 11, 18, 23):
        with pytest.raises(tiny_training["StoppedError"]):  # type: ignore[call-overload]
            train(squares_folder, tmp_path, stop_before=step)
    objective, history = train(squares_folder, tmp_path)
    assert (written(objective, tmp_path), history) == uninterrupted


def test_a_training_killed_at_a_random_point_ends_in_the_same_bytes(
    train: Train, squares_folder: Path, tmp_path: Path, uninterrupted: tuple[bytes, History]
) -> None:
    delay = random.SystemRandom().uniform(0, 0.5)
    kill_after_the_first_checkpoint(squares_folder, tmp_path, delay)
    objective, _ = train(squares_folder, tmp_path)
    assert written(objective, tmp_path) == uninterrupted[0], f"killed {delay} s after a checkpoint"


def kill_after_the_first_checkpoint(data: Path, checkpoints: Path, delay: float) -> None:
    """Start the training in a new process and kill it between two checkpoints."""
    child = subprocess.Popen([sys.executable, str(SCRIPT), str(data), str(checkpoints), "0.05"])
    try:
        while not list(checkpoints.glob("*.safetensors")):
            assert child.poll() is None, "the training ended by itself"
            time.sleep(0.01)
        time.sleep(delay)
    finally:
        child.kill()
    assert child.wait() == -signal.SIGKILL
