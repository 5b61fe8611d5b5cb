"""How every settings dataclass treats what params.yaml gives it."""

from pydantic import ConfigDict

STRICT = ConfigDict(extra="forbid")
"""An unknown key is refused by its name: a misspelt setting must not be a silent default."""
