"""Unlimited clips of data sets that are drawn and not filmed."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from jaxtyping import UInt8
from numpy import ndarray

Clip = UInt8[ndarray, "time height width channel"]


@runtime_checkable
class FreshClips(Protocol):
    """Clips drawn on demand from the distribution of the train split."""

    def clip(self, number: int) -> tuple[Clip, Mapping[str, int]]:
        """Draw the frames of a clip and the label of each of its factors, seeded by `number`."""
