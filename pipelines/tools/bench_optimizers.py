"""The time of an optimizer's step, part of `make bench`."""

import time
from collections.abc import Iterator

import torch

from s3vae.engine.optimizers import Muon
from s3vae.model.architecture import PRESETS
from s3vae.model.s3vae import S3VAE

OURS = "Muon, ours (float32)"


def optimizer_table(architecture: str) -> Iterator[str]:
    """Yield the lines of the table of optimizers."""
    yield f"\n| optimizer, {architecture} preset | ms a step | against ours |\n|---|---|---|"
    optimizers = optimizer_steps(architecture)
    for name, milliseconds in optimizers.items():
        ratio = milliseconds / optimizers[OURS]
        yield f"| {name} | {milliseconds:,.1f} | {ratio:.2f}x |"


def optimizer_steps(architecture: str, steps: int = 10) -> dict[str, float]:
    """Return milliseconds of an optimizer's step on all matrices and kernels of a model."""
    generator = torch.Generator().manual_seed(0)
    weights = [
        torch.nn.Parameter(weight.detach().flatten(1))
        for weight in S3VAE(PRESETS[architecture]).parameters()
        if weight.ndim > 1
    ]
    for weight in weights:
        weight.grad = torch.randn(weight.shape, generator=generator)
    optimizers = {
        OURS: Muon(weights, 0.0),
        "Muon, PyTorch's (bfloat16)": torch.optim.Muon(weights, lr=0.0),
        "Adam": torch.optim.Adam(weights, lr=0.0, fused=True),
    }
    milliseconds = {}
    for name, optimizer in optimizers.items():
        optimizer.step()
        start = time.perf_counter()
        for _ in range(steps):
            optimizer.step()
        milliseconds[name] = 1000 * (time.perf_counter() - start) / steps
    return milliseconds
