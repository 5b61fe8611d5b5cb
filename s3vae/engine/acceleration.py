"""Faster convolutions on CUDA: bfloat16, compiled kernels and channels-last memory."""

import torch
from torch import Tensor, nn


def accelerate(network: nn.Module, device: torch.device, backend: str = "inductor") -> None:
    """Make a network compute in bfloat16, compiled, with its channels last in memory.

    Its weights, their gradients and its output remain in single precision, so that the losses do
    too. The names of its weights do not change. The first batch of each shape waits for the
    compiler; `backend` is that of `torch.compile`.
    """
    compiled = torch.compile(network.forward, backend=backend)

    def forward(*inputs: Tensor) -> Tensor:
        with torch.autocast(device.type, torch.bfloat16):
            output: Tensor = compiled(*inputs)
        return output.float()

    nn.utils.convert_conv2d_weight_memory_format(network, torch.channels_last)
    network.forward = forward
