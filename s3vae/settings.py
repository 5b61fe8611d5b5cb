"""The validation of settings dataclasses that are read from config files."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field

STRICT = ConfigDict(extra="forbid")
"""Reject unknown keys by name: a misspelt setting must not silently become a default."""
Crop = Literal["none", "centre", "face"]
"""The part of a frame that a clip shows (data/crops.py)."""
Side = Annotated[int, Field(ge=32, multiple_of=16)]
"""Height or width of a frame in pixels; the networks halve it four times."""


def from_preset(expand: Callable[..., Any]) -> BeforeValidator:
    """Return the validator of a section with a `preset` and the fields that differ from it.

    `expand(preset=..., **changes)` returns the settings.
    """

    def expanded(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        if "preset" not in value:
            msg = "`preset` is missing: name one in this section"
            raise ValueError(msg)
        return expand(**value)

    return BeforeValidator(expanded)
