"""However often a training is killed and started again, the same weights come out."""

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
def stopped(tiny_training: dict[str, object]) -> type[Exception]:
    return tiny_training["StoppedError"]  # type: ignore[return-value]


@pytest.fixture(scope="module")
def uninterrupted(
    train: Train, squares_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[bytes, History]:
    folder = tmp_path_factory.mktemp("uninterrupted")
    objective, history = train(squares_folder, folder)
    return written(objective, folder), history


def written(objective: Objective, folder: Path) -> bytes:
    """The bytes of the weights and of the memory of the motion exchange."""
    save_weights(objective, folder)
    return (folder / WEIGHTS).read_bytes()


def test_the_same_training_gives_the_same_bytes(
    train: Train, squares_folder: Path, tmp_path: Path, uninterrupted: tuple[bytes, History]
) -> None:
    objective, history = train(squares_folder, tmp_path)
    assert written(objective, tmp_path) == uninterrupted[0]
    assert history == uninterrupted[1]


def test_an_interrupted_training_ends_in_the_bytes_of_an_uninterrupted_one(
    train: Train,
    stopped: type[Exception],
    squares_folder: Path,
    tmp_path: Path,
    uninterrupted: tuple[bytes, History],
) -> None:
    """Stopped before the first checkpoint, between two, at one, and right before the end."""
    for step in (2, 11, 24, 39):
        with pytest.raises(stopped):
            train(squares_folder, tmp_path, stop_before=step)
    objective, history = train(squares_folder, tmp_path)
    assert written(objective, tmp_path) == uninterrupted[0]
    assert history == uninterrupted[1]


def test_a_training_killed_at_a_random_point_ends_in_the_same_bytes(
    train: Train, squares_folder: Path, tmp_path: Path, uninterrupted: tuple[bytes, History]
) -> None:
    delay = random.SystemRandom().uniform(0, 0.5)
    kill_after_the_first_checkpoint(squares_folder, tmp_path, delay)
    objective, _ = train(squares_folder, tmp_path)
    assert written(objective, tmp_path) == uninterrupted[0], f"killed {delay} s after a checkpoint"


def kill_after_the_first_checkpoint(data: Path, checkpoints: Path, delay: float) -> None:
    """Start the training as a process of its own and end it with SIGKILL, in the middle."""
    child = subprocess.Popen(
        [sys.executable, str(SCRIPT), str(data), str(checkpoints), "0.05"],
    )
    try:
        while not list(checkpoints.glob("*.safetensors")):
            assert child.poll() is None, "the training ended by itself"
            time.sleep(0.01)
        time.sleep(delay)
    finally:
        child.kill()
    assert child.wait() == -signal.SIGKILL
