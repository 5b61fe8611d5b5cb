"""Settings for one run: params.yaml says them while it lasts, and its own again afterwards."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipelines.params import PARAMS, ParamsError
from s3vae.files import replacing
from s3vae.progress import LOG

KEPT = Path(".params.overridden")
"""A folder with the file as it was, and as it is meanwhile: a run that is killed cannot put it
back, the next one does."""
BEFORE, MEANWHILE = KEPT / "before.yaml", KEPT / "meanwhile.yaml"


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
        aside.mkdir()
        shutil.copyfile(PARAMS, aside / BEFORE.name)
        yaml.dump(content, aside / MEANWHILE.name)
    try:
        with replacing(PARAMS) as aside:
            shutil.copyfile(MEANWHILE, aside)
        yield
    finally:
        restore()


def restore() -> None:
    """Put the file back, if a run has left it changed; what somebody has edited since stays."""
    if not KEPT.exists():
        return
    now = PARAMS.read_bytes()
    if now == MEANWHILE.read_bytes():
        with replacing(PARAMS) as aside:
            shutil.copyfile(BEFORE, aside)
    elif now != BEFORE.read_bytes():
        LOG.warning(
            "%s was edited while the settings of one run stood in it, and stays as it is: if they "
            "are still there, take them out (git diff %s)",
            PARAMS,
            PARAMS,
        )
    shutil.rmtree(KEPT)


def _set(content: Any, place: str, value: Any) -> None:
    *above, last = place.split(".")
    for key in above:
        if not isinstance(content, dict) or key not in content:
            msg = f"{PARAMS} has no {place}: overrides change what is there"
            raise ParamsError(msg)
        content = content[key]
    content[last] = value
