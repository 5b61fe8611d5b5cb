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


def test_missing_weights_are_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"weights\.safetensors .*dvc repro.*dvc pull"):
        load_weights(network(0), tmp_path)


def test_loaded_weights_are_the_saved_ones_and_are_saved_as_the_same_bytes(tmp_path: Path) -> None:
    saved, loaded = network(0), network(1)
    save_weights(saved, tmp_path / "first")
    load_weights(loaded, tmp_path / "first")
    torch.testing.assert_close(loaded.state_dict(), saved.state_dict(), rtol=0, atol=0)
    save_weights(loaded, tmp_path / "second")
    first, second = ((tmp_path / name / WEIGHTS).read_bytes() for name in ("first", "second"))
    assert first == second
