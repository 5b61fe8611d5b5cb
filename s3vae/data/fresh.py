"""Clips without end: what data sets that are drawn and not filmed can give."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from jaxtyping import UInt8
from numpy import ndarray

Clip = UInt8[ndarray, "time height width channel"]


@runtime_checkable
class FreshClips(Protocol):
    """Clips that are drawn when they are asked for, from what the train split is drawn from."""

    def clip(self, number: int) -> tuple[Clip, Mapping[str, int]]:
        """The frames of the clip with this number, and the value of each of its factors."""
