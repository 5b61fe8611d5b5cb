"""One training in several processes, started by torchrun: each encodes and decodes its share.

Encoding and decoding frames is nearly all of the work. All other computations, including the terms
that compare the clips of a batch, are done by every process on the whole batch, from gathered
features. The objective is therefore the same for any number of processes.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch import Generator, Tensor, distributed, nn
from torch.autograd import Function
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from s3vae.engine.batches import Batch

TIMEOUT = timedelta(minutes=30)
"""The longest time to wait for another process, which may have to read its clips first."""
SECONDS_BETWEEN_CHECKS = 0.5
Losses = Callable[[Batch, Generator], Mapping[str, Tensor]]


@contextmanager
def process_group(device: torch.device) -> Iterator[None]:
    """Join the processes that torchrun started; do nothing in a process that runs alone."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    backend = "gloo"
    if device.type == "cuda":
        torch.cuda.set_device(device)
        backend = "nccl"
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    distributed.init_process_group(backend, timeout=TIMEOUT)
    try:
        yield
    finally:
        distributed.destroy_process_group()


def _end_with(launcher: int) -> None:
    """End this process when torchrun ends, even if that is killed."""
    while os.getppid() == launcher:
        time.sleep(SECONDS_BETWEEN_CHECKS)
    os._exit(1)


def require_same_step(step: int, device: torch.device) -> None:
    """Raise RuntimeError unless all processes resume from the same checkpoint."""
    if world_size() == 1:
        return
    # tensors: gathered objects would be unpickled
    steps = _gather(torch.tensor([step], device=device)).tolist()
    if len(set(steps)) > 1:
        raise RuntimeError(
            f"the processes would resume from steps {steps}: they must use the same .checkpoints/, "
            "so put it on storage that all machines share"
        )


def world_size() -> int:
    """Return how many processes train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def total_threads() -> int:
    """Return the number of threads of all processes that train together."""
    return torch.get_num_threads() * world_size()


def own_share(batch: int) -> slice:
    """Return the clips of a batch that this process encodes and decodes.

    Raises ValueError unless the batch can be divided equally among the processes.
    """
    processes = world_size()
    if batch % processes:
        raise ValueError(
            f"a batch of {batch} clips cannot be shared among {processes} processes: choose a "
            f"batch_size that is a multiple of {processes}, or start fewer processes"
        )
    size = batch // processes
    first = distributed.get_rank() * size if processes > 1 else 0
    return slice(first, first + size)


def sharded(function: Callable[..., Tensor], training: bool = True) -> Callable[..., Tensor]:
    """Return a function of whole batches whose result the processes compute in equal shares.

    The function must treat clips independently. Gradients reach the shares of all processes.
    Outside of training, which one process may do alone, the function itself is returned.
    """
    if world_size() == 1 or not training:
        return function

    def gathered(*inputs: Tensor | None) -> Tensor:
        (size,) = {len(each) for each in inputs if each is not None}
        own = own_share(size)
        return _gather(function(*(each if each is None else each[own] for each in inputs)))

    return gathered


def parallel_losses(module: nn.Module, losses: Losses, device: torch.device) -> Losses:
    """Return the losses of a module with the same gradients in every process.

    Batch normalization uses the statistics of the whole batch, as in one process.
    """
    if world_size() == 1:
        return losses
    for part in module.modules():
        if isinstance(part, _BatchNorm):
            part.register_forward_pre_hook(_gather_input)
            part.register_forward_hook(_select_own_share)
    parallel = DistributedDataParallel(
        _Losses(module, losses),
        device_ids=[device] if device.type == "cuda" else None,
        forward_sync_buffers=False,  # they are equal in all processes
    )
    return lambda batch, generator: parallel(batch, generator)


def _gather_input(layer: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
    """Return the whole batch for batch normalization (PyTorch's synchronized one needs GPUs)."""
    (part,) = inputs
    return (_gather(part),) if layer.training else inputs


def _select_own_share(layer: nn.Module, _inputs: tuple[Tensor], batch: Tensor) -> Tensor:
    """Return this process's share of the normalized batch."""
    return batch[own_share(len(batch))] if layer.training else batch


def _gather(part: Tensor) -> Tensor:
    """Return the concatenation of all processes' parts, through which gradients flow back."""
    batch: Tensor = _Gather.apply(part)  # type: ignore[no-untyped-call]
    return batch


class _Gather(Function):
    """Concatenation of the parts of all processes."""

    @staticmethod
    def forward(_context: object, part: Tensor) -> Tensor:
        parts = [torch.empty_like(part) for _ in range(world_size())]
        distributed.all_gather(parts, part.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(_context: object, gradient: Tensor) -> Tensor:
        """Sum over processes the gradients of this process's part."""
        total = gradient.contiguous().clone()
        distributed.all_reduce(total)
        return total[own_share(len(total))]


class _Losses(nn.Module):
    """Losses as the forward pass of a module, as DistributedDataParallel requires."""

    def __init__(self, module: nn.Module, losses: Losses) -> None:
        super().__init__()
        self.module, self.losses = module, losses

    def forward(self, batch: Batch, generator: Generator) -> dict[str, Tensor]:
        return dict(self.losses(batch, generator))
