"""The state of a training on disk."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from s3vae.engine.checkpoint import Checkpoint, History
from s3vae.engine.optimizers import optimizers_of
from s3vae.engine.schedule import TrainingSettings
from s3vae.files import HELD

HISTORY: History = [{"step": 1.0, "total": 0.1}, {"step": 2.0, "total": 1 / 3}]


def network(seed: int) -> tuple[nn.Module, list[Optimizer]]:
    """A module with Muon for its matrix and Adam for all other weights."""
    torch.manual_seed(seed)
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    return module, optimizers_of(module, TrainingSettings(steps=9, learning_rate=0.1, muon=True))


def learn(module: nn.Module, optimizers: Sequence[Optimizer], steps: int) -> Tensor:
    """Train on one batch; return the parameters and buffers."""
    batch = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    for _ in range(steps):
        module.zero_grad()
        module(batch).pow(3).sum().backward()
        for optimizer in optimizers:
            optimizer.step()
    return torch.cat([value.flatten().float() for value in module.state_dict().values()])


def test_a_resumed_training_equals_an_uninterrupted_one(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path, "key")
    uninterrupted = learn(*network(0), steps=7)
    first = network(0)
    learn(*first, steps=3)
    checkpoint.save(3, *first, HISTORY, seconds=8.5)
    second = network(1)
    assert checkpoint.load(*second) == (3, HISTORY, 8.5)
    assert torch.equal(learn(*second, steps=4), uninterrupted)


def test_a_checkpoint_holds_the_state_at_the_time_of_saving(tmp_path: Path) -> None:
    checkpoint, first, second = Checkpoint(tmp_path, "key"), network(0), network(1)
    saved = learn(*first, steps=3)
    checkpoint.save(3, *first, HISTORY)
    learn(*first, steps=4)
    checkpoint.load(*second)
    assert torch.equal(learn(*second, steps=0), saved)


@pytest.mark.parametrize("saved_key", [None, "other"])
def test_without_a_checkpoint_of_its_key_a_training_starts_anew(
    saved_key: str | None, tmp_path: Path
) -> None:
    if saved_key:
        Checkpoint(tmp_path, saved_key).save(3, *network(1), HISTORY)
    module, optimizers = network(0)
    assert Checkpoint(tmp_path, "key").load(module, optimizers) == (0, [], 0)
    assert torch.equal(learn(module, optimizers, steps=0), learn(*network(0), steps=0))


def test_the_learning_rate_is_not_read_from_the_checkpoint(tmp_path: Path) -> None:
    """It is a function of the step (engine/schedule.py)."""
    checkpoint, (module, _) = Checkpoint(tmp_path, "key"), network(0)
    first = module, [Adam(module.parameters(), lr=0.1, fused=True)]
    learn(*first, steps=1)
    checkpoint.save(1, *first, HISTORY)
    module, _ = network(1)
    optimizer = Adam(module.parameters(), lr=0.7, fused=True)
    checkpoint.load(module, [optimizer])
    assert optimizer.param_groups[0]["lr"] == 0.7


def test_a_newer_checkpoint_replaces_the_older_one(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "deep", "key")
    for step in (3, 6):
        checkpoint.save(step, *network(0), HISTORY)
    assert checkpoint.load(*network(1))[0] == 6
    assert list((tmp_path / "deep").iterdir()) == [checkpoint.path]


def test_removing_a_checkpoint_twice_is_no_error(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path, "key")
    checkpoint.save(3, *network(0), HISTORY)
    for _ in range(2):
        checkpoint.remove()
        assert not list(tmp_path.iterdir())


def test_loading_removes_what_a_killed_process_left_of_its_own_checkpoint(tmp_path: Path) -> None:
    checkpoint, other = Checkpoint(tmp_path, "key"), Checkpoint(tmp_path, "other")
    checkpoint.save(3, *network(0), HISTORY)
    for left in (checkpoint, other):
        folder = tmp_path / f".{left.path.name}.x1y2"
        folder.mkdir()
        (folder / HELD).touch()
    assert checkpoint.load(*network(1))[0] == 3
    assert {path.name for path in tmp_path.iterdir()} == {
        "key.safetensors",
        ".other.safetensors.x1y2",
    }
