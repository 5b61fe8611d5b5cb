"""What a process chooses once."""

import ctypes
import sys

import pytest
import torch

from s3vae.runtime import choose_device, generator_at, keep_freed_memory

CPU = torch.device("cpu")


def drawn(seed: int, step: int) -> list[float]:
    values: list[float] = torch.randn(4, generator=generator_at(CPU, seed, step)).tolist()
    return values


def test_the_randomness_of_a_step_is_a_function_of_seed_and_step() -> None:
    assert drawn(3, 7) == drawn(3, 7)


def test_seeds_and_steps_draw_differently() -> None:
    seeds_and_steps = [(seed, step) for seed in range(5) for step in range(50)]
    assert len({tuple(drawn(*each)) for each in seeds_and_steps}) == len(seeds_and_steps)


def test_drawing_leaves_the_global_randomness_alone() -> None:
    before = torch.get_rng_state()
    drawn(0, 0)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("present", "kind"), [(True, "cuda"), (False, "cpu")])
def test_cuda_is_chosen_where_there_is_one(
    present: bool, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: present)
    assert choose_device().type == kind


class Library:
    """A C library that notes the advice it gets, and takes it or not."""

    def __init__(self, answer: int) -> None:
        self.answer, self.advice = answer, dict[int, int]()

    def mallopt(self, option: int, value: int) -> int:
        self.advice[option] = value
        return self.answer


@pytest.mark.parametrize("answer", [0, 1])
def test_whether_the_c_library_took_the_advice_is_told(
    answer: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Library(answer)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    assert keep_freed_memory() is bool(answer)
    m_mmap_max = -4
    assert library.advice[m_mmap_max] == 0


def test_a_c_library_without_mallopt_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert keep_freed_memory() is False


def test_elsewhere_than_on_linux_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library(1)
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    assert keep_freed_memory() is False
    assert not library.advice
