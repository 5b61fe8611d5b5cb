"""Settings for a single run: params.yaml holds them during the run and is restored afterwards.

`dvc exp run -S` cannot replace this: it changes params.yaml for good, and its results in a
temporary folder could not be promoted. By hand, without promotion, use
`dvc exp run --temp -S datasets.D.methods.M.training.seed=1 evaluate@D-M`.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipelines.io import write_text
from pipelines.params import PARAMS, ParamsError
from s3vae.files import replacing
from s3vae.progress import LOG

BACKUP = Path(".params.overridden")
"""The file before and during a run. If a run is killed, the next one restores the file."""
BEFORE, DURING = BACKUP / "before.yaml", BACKUP / "during.yaml"


@contextmanager
def overridden_params(overrides: Mapping[str, Any]) -> Iterator[None]:
    """Change settings of params.yaml, by their dotted keys, until the block ends.

    Raises ParamsError for a key below a section that the file lacks.
    """
    restore_params()
    if not overrides:
        yield
        return
    yaml = YAML()
    content = yaml.load(PARAMS)
    for key, value in overrides.items():
        override(content, key, value)
    with replacing(BACKUP) as aside:
        aside.mkdir()
        shutil.copyfile(PARAMS, aside / BEFORE.name)
        yaml.dump(content, aside / DURING.name)
    try:
        write_text(PARAMS, DURING.read_text())
        yield
    finally:
        restore_params()


def restore_params() -> None:
    """Restore the file if a run has left it changed; edits made during the run are preserved."""
    if not BACKUP.exists():
        return
    text, before = PARAMS.read_text(), BEFORE.read_text()
    if text == DURING.read_text():
        write_text(PARAMS, before)
    elif text != before:
        LOG.warning(
            "%s was edited during a run with overrides: check `git diff %s`", PARAMS, PARAMS
        )
    shutil.rmtree(BACKUP)


def override(content: Any, key: str, value: Any) -> None:
    """Set the value of a dotted key."""
    *sections, last = key.split(".")
    for name in sections:
        if not isinstance(content, dict) or name not in content:
            raise ParamsError(f"{PARAMS} has no {key}: overrides change existing sections")
        content = content[name]
    content[last] = value
