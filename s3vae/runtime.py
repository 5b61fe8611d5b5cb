"""The settings of a process that trains or evaluates: its memory, its device, its randomness."""

import ctypes
import os
import sys

import torch

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
KEEP_BYTES, PAD_BYTES = 2**31 - 1, 256 * 2**20


def keep_freed_memory() -> bool:
    """Make glibc reuse the memory of freed tensors instead of returning it to the system.

    New pages cause a page fault at their first access; `make bench` measures the time of a training
    step with and without. Return whether the C library accepted the options; without glibc, change
    nothing and return False. Call it before the first tensor is allocated.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    options = ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, KEEP_BYTES), (M_TOP_PAD, PAD_BYTES))
    return all(mallopt(option, value) == 1 for option, value in options)


def choose_device() -> torch.device:
    """Return this process's CUDA device (torchrun sets its number), or the CPU without CUDA."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


def generator_at(device: torch.device, seed: int, step: int = 0) -> torch.Generator:
    """Return a step's random generator, set by seed and step, so that a resume needs no state."""
    return torch.Generator(device).manual_seed(seed * 1_000_003 + step)
