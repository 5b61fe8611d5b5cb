"""How settings dataclasses read what a config file gives them."""

from collections.abc import Callable
from typing import Any

from pydantic import BeforeValidator, ConfigDict

STRICT = ConfigDict(extra="forbid")
"""An unknown key is refused by its name: a misspelt setting must not become a silent default."""


def from_preset(expand: Callable[..., Any]) -> BeforeValidator:
    """Return the validator of a section that names a `preset` and changes to it.

    `expand(preset=..., **changes)` makes the settings.
    """

    def expanded(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        if "preset" not in value:
            msg = "`preset` is missing"
            raise ValueError(msg)
        return expand(**value)

    return BeforeValidator(expanded)
