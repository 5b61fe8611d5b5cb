"""Settings for one run: params.yaml says them while it lasts, and its own again afterwards."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipelines.params import PARAMS, ParamsError
from s3vae.files import replacing

KEPT = Path(".params.before-overrides.yaml")
"""The file as it was: a run that is killed cannot put it back, the next one does."""


@contextmanager
def overridden(overrides: Mapping[str, Any]) -> Iterator[None]:
    """params.yaml with these settings, by their dotted places, as long as the block lasts.

    Raises ParamsError for a place that is not in the file.
    """
    restore()
    if not overrides:
        yield
        return
    yaml = YAML()
    content = yaml.load(PARAMS)
    for place, value in overrides.items():
        _set(content, place, value)
    with replacing(KEPT) as aside:
        shutil.copyfile(PARAMS, aside)
    try:
        with replacing(PARAMS) as aside:
            yaml.dump(content, aside)
        yield
    finally:
        restore()


def restore() -> None:
    """Put the file back, if a run has left it changed."""
    if KEPT.exists():
        KEPT.replace(PARAMS)


def _set(content: Any, place: str, value: Any) -> None:
    *above, last = place.split(".")
    for key in above:
        if not isinstance(content, dict) or key not in content:
            msg = f"{PARAMS} has no {place}: overrides change what is there"
            raise ParamsError(msg)
        content = content[key]
    content[last] = value
