"""Accelerated networks compute what plain ones do, but for rounding."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from s3vae.engine.acceleration import accelerated

SCRIPT = Path(__file__).with_name("accelerated_step.py")


@pytest.mark.parametrize(
    "changes",
    [
        {"encoder": "strided", "decoder": "transposed", "normalized": True},
        {"decoder": "warped"},
        {"decoder": "layered", "static_input": "windows"},
    ],
    ids=["paper", "warped", "layered"],
)
def test_pictures_and_gradients_differ_by_rounding_alone(changes: dict[str, object]) -> None:
    command = [sys.executable, SCRIPT, json.dumps(changes)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert 0 < report["difference"] < 0.03, "of bfloat16"
    assert report["cosine"] > 0.99
    assert report["types"] == ["torch.float32"]
    assert report["names"]


def test_afterwards_a_network_is_in_single_precision_again() -> None:
    torch.manual_seed(0)
    network, frames = nn.Sequential(nn.Conv2d(3, 8, 4)), torch.rand(1, 3, 8, 8)
    before = network(frames)
    with accelerated([network], torch.device("cpu"), "aot_eager"):
        assert network[0].weight.is_contiguous(memory_format=torch.channels_last)
        assert not torch.allclose(network(frames), before, atol=1e-6)
    torch.testing.assert_close(network(frames), before)
