"""Weights on disk."""

from pathlib import Path

import pytest
import torch
from torch import nn

from s3vae.weights import WEIGHTS, load_weights, save_weights


def network(seed: int) -> nn.Sequential:
    """Parameters and buffers, one of them an integer."""
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    network(torch.randn(8, 3))
    return network


def test_loaded_parameters_and_buffers_are_the_saved_ones(tmp_path: Path) -> None:
    saved, loaded = network(0), network(1)
    save_weights(saved, tmp_path)
    load_weights(loaded, tmp_path)
    assert saved.state_dict().keys() == loaded.state_dict().keys()
    for name, value in saved.state_dict().items():
        assert torch.equal(value, loaded.state_dict()[name])


def test_the_same_weights_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        save_weights(network(0), tmp_path / name)
    first, second = ((tmp_path / name / WEIGHTS).read_bytes() for name in ("first", "second"))
    assert first == second


def test_missing_weights_are_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"weights\.safetensors .*dvc repro.*dvc pull"):
        load_weights(network(0), tmp_path)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    save_weights(nn.Linear(3, 5), tmp_path)
    with pytest.raises(RuntimeError, match=r"size mismatch|Missing key"):
        load_weights(network(0), tmp_path)
