"""Small results as files that people and git can read: JSON and CSV, the same bytes each time."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from s3vae.files import replacing


def write_json(path: Path, content: object) -> None:
    """Indented JSON; numbers that are not finite are refused."""
    with replacing(path) as aside:
        aside.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n")


def write_csv(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """A column for every key of any row, in order of appearance; what a row lacks stays empty."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with replacing(path) as aside, aside.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_text(path: Path, text: str) -> None:
    """Text, whole or not at all."""
    with replacing(path) as aside:
        aside.write_text(text)
