"""What a process that trains or evaluates chooses once, before its first tensor."""

import ctypes
import os
import sys

import torch

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
KEEP_BYTES, PAD_BYTES = 2**31 - 1, 256 * 2**20


def keep_freed_memory() -> bool:
    """Tell glibc to keep what tensors free instead of handing it back after every step.

    Fresh pages fault on first touch; `make bench` measures what that costs a training step.
    Returns whether the C library took the advice; elsewhere than on glibc nothing happens.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    advice = ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, KEEP_BYTES), (M_TOP_PAD, PAD_BYTES))
    return all(mallopt(option, value) == 1 for option, value in advice)


def choose_device() -> torch.device:
    """A CUDA device where there is one, else the CPU.

    The first; of processes that torchrun started together, each takes its own.
    """
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


def generator_at(device: torch.device, seed: int, step: int = 0) -> torch.Generator:
    """The randomness of one step: a function of seed and step, so a resume needs no state."""
    return torch.Generator(device).manual_seed(seed * 1_000_003 + step)
