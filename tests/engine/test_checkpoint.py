"""The state of a training on disk."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from s3vae.engine.checkpoint import Checkpoint, History
from s3vae.engine.optimizers import optimizers_of
from s3vae.engine.schedule import TrainingSettings
from s3vae.files import LOCK_FILE

HISTORY: History = [{"step": 1.0, "total": 0.1}, {"step": 2.0, "total": 1 / 3}]

Network = tuple[nn.Module, list[Optimizer]]


def network(seed: int) -> Network:
    """A module with Muon for its matrix and Adam for all other weights."""
    torch.manual_seed(seed)
    module = nn.Sequential(nn.Flatten(), nn.Linear(12, 4), nn.BatchNorm1d(4))
    return module, optimizers_of(module, TrainingSettings(steps=9, learning_rate=0.1, muon=True))


def kernels(seed: int) -> Network:
    """A module with kernels whose channels are last in memory, as Adam's moments must be."""
    torch.manual_seed(seed)
    module = nn.Sequential(nn.Conv2d(3, 4, 2), nn.Flatten(), nn.Linear(4, 4))
    nn.utils.convert_conv2d_weight_memory_format(module, torch.channels_last)
    return module, optimizers_of(module, TrainingSettings(steps=9, learning_rate=0.1))


def learn(module: nn.Module, optimizers: Sequence[Optimizer], steps: int) -> Tensor:
    """Train on one batch; return the parameters and buffers."""
    batch = torch.randn(8, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    for _ in range(steps):
        module.zero_grad()
        module(batch).pow(3).sum().backward()
        for optimizer in optimizers:
            optimizer.step()
    return torch.cat([value.flatten().float() for value in module.state_dict().values()])


@pytest.mark.parametrize("new", [network, kernels])
def test_a_resumed_training_equals_an_uninterrupted_one(
    new: Callable[[int], Network], tmp_path: Path
) -> None:
    """The checkpoint holds the state at the time of saving, not what is learned later."""
    checkpoint, first, second = Checkpoint(tmp_path, "key"), new(0), new(1)
    learn(*first, steps=3)
    checkpoint.save(3, *first, HISTORY, seconds=8.5)
    uninterrupted = learn(*first, steps=4)
    assert checkpoint.load(*second) == (3, HISTORY, 8.5)
    assert torch.equal(learn(*second, steps=4), uninterrupted)


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


def test_there_is_one_checkpoint_the_newest_until_it_is_removed(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "deep", "key")
    for step in (3, 6):
        checkpoint.save(step, *network(0), HISTORY)
    assert checkpoint.load(*network(1))[0] == 6
    assert list((tmp_path / "deep").iterdir()) == [checkpoint.path]
    for _ in range(2):
        checkpoint.remove()
        assert not list((tmp_path / "deep").iterdir())


def test_loading_removes_what_a_killed_process_left_of_its_own_checkpoint(tmp_path: Path) -> None:
    checkpoint, other = Checkpoint(tmp_path, "key"), Checkpoint(tmp_path, "other")
    checkpoint.save(3, *network(0), HISTORY)
    for left in (checkpoint, other):
        folder = tmp_path / f".{left.path.name}.x1y2"
        folder.mkdir()
        (folder / LOCK_FILE).touch()
    assert checkpoint.load(*network(1))[0] == 3
    assert {path.name for path in tmp_path.iterdir()} == {
        "key.safetensors",
        ".other.safetensors.x1y2",
    }
