"""One training in several processes, started by torchrun: each sees its share of every batch.

Frames are encoded and decoded by shares, which is nearly all of the work. What lies between, and
all that compares the clips of a batch, every process computes for the whole batch, from features
that are exchanged: however many processes there are, the objective is the same.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import NamedTuple

import torch
from torch import Generator, Tensor, distributed, nn
from torch.autograd import Function
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from s3vae.engine.batches import Batch
from s3vae.tensors import Scalar

LONGEST_WAIT = timedelta(minutes=30)
"""For the other processes, one of which may be reading its clips."""
SECONDS_BETWEEN_LOOKS = 0.5
Losses = Callable[[Batch, Generator], Mapping[str, Tensor]]


@contextmanager
def together(device: torch.device) -> Iterator[None]:
    """The processes that torchrun started find each other; one that runs alone is left alone."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    backend = "gloo"
    if device.type == "cuda":
        torch.cuda.set_device(device)
        backend = "nccl"
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    distributed.init_process_group(backend, timeout=LONGEST_WAIT)
    try:
        yield
    finally:
        distributed.destroy_process_group()


def _end_with(launcher: int) -> None:
    """End this process when torchrun's has: a killed one would leave it to train on, unasked."""
    while os.getppid() == launcher:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    os._exit(1)


def require_same_step(step: int, device: torch.device) -> None:
    """Raise RuntimeError unless all processes go on from the same checkpoint."""
    if ranks() == 1:
        return
    # as numbers: objects would be unpickled
    steps = _whole(torch.tensor([step], device=device)).tolist()
    if len(set(steps)) > 1:
        msg = (
            f"the processes would go on from steps {steps}: they must see the same .checkpoints/, "
            "on storage that all machines share"
        )
        raise RuntimeError(msg)


def ranks() -> int:
    """How many processes train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def leads() -> bool:
    """Whether this is the process that logs and writes."""
    return os.environ.get("RANK", "0") == "0"


class Share(NamedTuple):
    """What of a batch this process encodes and decodes; all of it where it trains alone."""

    own: slice = slice(None)
    """The numbers of its clips within the batch."""
    among: int = 1
    """How many processes share the batch."""

    def whole(self, part: Tensor) -> Tensor:
        """The whole batch of what each process has of its clips; gradients find their way back."""
        return _whole(part) if self.among > 1 else part

    def mean(self, part: Scalar) -> Scalar:
        """The mean over the batch, of each process's mean over its clips."""
        return self.whole(part[None]).mean()


def share_of(batch: int) -> Share:
    """The share of so many clips that falls to the process that asks.

    Raises ValueError unless every process gets as many.
    """
    among = ranks()
    if among == 1:
        return Share()
    if batch % among:
        msg = (
            f"a batch of {batch} clips cannot be shared among {among} processes: choose a "
            "batch_size that they divide, or start fewer"
        )
        raise ValueError(msg)
    size = batch // among
    first = distributed.get_rank() * size
    return Share(slice(first, first + size), among)


def shared_losses(module: nn.Module, losses: Losses, device: torch.device) -> Losses:
    """The losses of a module, with gradients that are the same in every process.

    Batch normalization is by the whole batch, as in one process.
    """
    if ranks() == 1:
        return losses
    for part in module.modules():
        if isinstance(part, _BatchNorm):
            part.register_forward_pre_hook(_with_the_others)
            part.register_forward_hook(_own_again)
    parallel = DistributedDataParallel(
        _Losses(module, losses),
        device_ids=[device] if device.type == "cuda" else None,
        forward_sync_buffers=False,  # every process computes the same ones
    )
    return lambda batch, generator: parallel(batch, generator)


def _with_the_others(layer: nn.Module, given: tuple[Tensor]) -> tuple[Tensor]:
    """What all processes give a layer of batch normalization (PyTorch's own is for GPUs alone)."""
    (part,) = given
    return (_whole(part),) if layer.training else given


def _own_again(layer: nn.Module, _given: tuple[Tensor], whole: Tensor) -> Tensor:
    """What this process gave, normalized."""
    return whole[share_of(len(whole)).own] if layer.training else whole


def _whole(part: Tensor) -> Tensor:
    whole: Tensor = _Gather.apply(part)  # type: ignore[no-untyped-call]
    return whole


class _Gather(Function):
    """The parts of all processes, one after the other."""

    @staticmethod
    def forward(_context: object, part: Tensor) -> Tensor:
        parts = [torch.empty_like(part) for _ in range(ranks())]
        distributed.all_gather(parts, part.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(_context: object, gradient: Tensor) -> Tensor:
        """Every process went on with the whole: what all have to say of the own part is added."""
        total = gradient.contiguous().clone()
        distributed.all_reduce(total)
        return total[share_of(len(total)).own]


class _Losses(nn.Module):
    """A module whose call is its losses, as what runs modules in parallel wants it."""

    def __init__(self, module: nn.Module, losses: Losses) -> None:
        super().__init__()
        self.module, self.losses = module, losses

    def forward(self, batch: Batch, generator: Generator) -> Mapping[str, Tensor]:
        return self.losses(batch, generator)
