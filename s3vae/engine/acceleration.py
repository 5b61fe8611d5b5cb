"""Faster convolutions on CUDA: bfloat16, compiled kernels and channels-last memory."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn


@contextmanager
def accelerated(
    networks: Sequence[nn.Module], device: torch.device, backend: str = "inductor"
) -> Iterator[None]:
    """Let networks compute in bfloat16, compiled, with their channels last in memory.

    Their weights, the gradients and their outputs remain in single precision, so that losses do
    too. The first batch of each shape waits for the compiler; `backend` is that of `torch.compile`.
    """
    for network in networks:
        nn.utils.convert_conv2d_weight_memory_format(network, torch.channels_last)
        network.forward = _in_bfloat16(network, device, backend)
    try:
        yield
    finally:
        for network in networks:
            del network.forward  # what its class defines is visible again


def _in_bfloat16(network: nn.Module, device: torch.device, backend: str) -> Callable[..., Tensor]:
    """Return a network's forward pass, compiled and in bfloat16."""
    compiled = torch.compile(network.forward, backend=backend)

    def forward(*inputs: Tensor) -> Tensor:
        with torch.autocast(device.type, torch.bfloat16):
            output: Tensor = compiled(*inputs)
        return output.float()

    return forward
