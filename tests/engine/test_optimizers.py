"""Adam alone, or Muon for matrices."""

import pytest
import torch
from torch import Tensor, nn
from torch.optim import Adam

from s3vae.engine.optimizers import Muon, optimizers_of
from s3vae.engine.schedule import TrainingSettings

RATE = 0.01


def network() -> nn.Module:
    """Vectors, a matrix, a kernel and a frozen layer."""
    torch.manual_seed(0)
    frozen = nn.Linear(4, 2).requires_grad_(requires_grad=False)
    return nn.Sequential(nn.Conv2d(3, 6, 3), nn.Flatten(), nn.Linear(6 * 4, 4), frozen)


def step(module: nn.Module, *, muon: bool) -> list[Tensor]:
    """Return the change of every weight in one step."""
    before = [weight.detach().clone() for weight in module.parameters()]
    # the mean over images is larger than their differences
    images = 2 + torch.randn(8, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    module(images).square().sum().backward()
    for optimizer in optimizers_of(module, TrainingSettings(1, learning_rate=RATE, muon=muon)):
        optimizer.step()
    return [now.detach() - then for now, then in zip(module.parameters(), before, strict=True)]


def test_without_muon_adam_updates_all_trained_weights() -> None:
    (adam,) = optimizers_of(network(), TrainingSettings(1, momentum=0.5))
    assert isinstance(adam, Adam)
    assert [len(group["params"]) for group in adam.param_groups] == [4]
    assert adam.param_groups[0]["betas"] == (0.5, 0.999)


def test_a_module_of_matrices_alone_needs_no_adam() -> None:
    (muon,) = optimizers_of(nn.Linear(3, 4, bias=False), TrainingSettings(1, muon=True))
    assert isinstance(muon, Muon)


def directions(moved: Tensor) -> float:
    """The effective number of singular directions of a step."""
    lengths = torch.linalg.svdvals(moved.flatten(1))
    return float(lengths.sum() / lengths.max())


def test_muon_moves_kernels_along_all_directions_and_leaves_vectors_to_adam() -> None:
    muon, adam = (step(network(), muon=muon) for muon in (True, False))
    assert directions(muon[0]) > 5 > 1.5 > directions(adam[0])
    for vector in (1, 3):
        assert torch.equal(muon[vector], adam[vector])
        assert muon[vector].any()
    assert not any(weight.any() for weight in (*muon[4:], *adam[4:]))  # the frozen layer


@pytest.mark.parametrize("shape", [(8, 12), (12, 8)])
def test_steps_are_those_of_pytorchs_muon_up_to_its_bfloat16(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    start, gradients = torch.randn(shape), torch.randn(5, *shape)
    mine, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    optimizers = (
        Muon([mine], RATE),
        torch.optim.Muon([theirs], lr=RATE, weight_decay=0.0, adjust_lr_fn="match_rms_adamw"),
    )
    for gradient in gradients:
        mine.grad, theirs.grad = gradient.clone(), gradient.clone()
        for optimizer in optimizers:
            optimizer.step()
    moved, reference = mine.detach() - start, theirs.detach() - start
    assert (moved - reference).norm() < 0.02 * reference.norm()


def test_a_weight_without_a_gradient_stays() -> None:
    module = nn.ModuleList([nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)])
    unused = module[1].weight.detach().clone()
    module[0](torch.ones(1, 3)).sum().backward()
    for optimizer in optimizers_of(module, TrainingSettings(1, muon=True)):
        optimizer.step()
    assert torch.equal(module[1].weight, unused)
