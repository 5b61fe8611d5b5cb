"""Small files: results as JSON, CSV and text, of which equal content gives equal bytes; YAML."""

import csv
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from s3vae.files import replacing


def write_json(path: Path, content: object) -> None:
    """Write indented JSON. Raises ValueError if a number is not finite."""
    write_text(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


def write_csv(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write a column per key of any row, in order of first occurrence; missing cells are empty."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with replacing(path) as aside, aside.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_text(path: Path, text: str) -> None:
    """Write text and replace the file as a whole."""
    with replacing(path) as aside:
        aside.write_text(text)


def read_yaml(path: Path) -> Any:
    """Return the content of a YAML 1.2 file, shared between calls. Raises YAMLError."""
    return _parsed(path.read_bytes())


@lru_cache(maxsize=64)
def _parsed(content: bytes) -> Any:
    """Parse once per content: dvc.lock of the benchmark takes seconds."""
    return YAML(typ="safe").load(content)
