"""Device, randomness and memory of a process."""

import ctypes
import sys

import pytest
import torch

from s3vae.runtime import choose_device, generator_at, keep_freed_memory

CPU = torch.device("cpu")


def drawn(seed: int, step: int) -> list[float]:
    values: list[float] = torch.randn(4, generator=generator_at(CPU, seed, step)).tolist()
    return values


def test_seed_and_step_determine_the_draws_and_different_ones_draw_differently() -> None:
    pairs = [(seed, step) for seed in range(5) for step in range(50)]
    assert len({tuple(drawn(*each)) for each in pairs}) == len(pairs)
    assert drawn(3, 7) == drawn(3, 7)


def test_drawing_does_not_change_the_global_generator() -> None:
    before = torch.get_rng_state()
    drawn(0, 0)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("present", "kind"), [(True, "cuda"), (False, "cpu")])
def test_cuda_is_chosen_if_available(
    present: bool, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: present)
    assert choose_device().type == kind


class Library:
    """A C library that records calls of mallopt and returns a fixed answer."""

    def __init__(self, answer: int) -> None:
        self.answer, self.options = answer, dict[int, int]()

    def mallopt(self, option: int, value: int) -> int:
        self.options[option] = value
        return self.answer


@pytest.mark.parametrize(
    ("platform", "library", "kept"),
    [
        ("linux", Library(1), True),
        ("linux", Library(0), False),
        ("linux", object(), False),
        ("darwin", Library(1), False),
    ],
    ids=["accepted", "refused", "no mallopt", "not on Linux"],
)
def test_freed_memory_is_kept_where_the_c_library_can(
    platform: str, library: object, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    assert keep_freed_memory() is kept
    if isinstance(library, Library):
        m_mmap_max = -4
        assert library.options.get(m_mmap_max) == (0 if platform == "linux" else None)
