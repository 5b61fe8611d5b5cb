"""Clips without end, for data sets that are drawn and not filmed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jaxtyping import UInt8
from numpy import ndarray

Clip = UInt8[ndarray, "time height width channel"]


@dataclass(frozen=True)
class FreshClips:
    """Clips that are drawn when they are asked for, from what the train split is drawn from."""

    source: str
    """As that of the set."""
    clip: Callable[[int], tuple[Clip, Mapping[str, int]]]
    """The frames of the clip with this number, and the value of each of its factors."""
