"""Small results as JSON, CSV and text; equal content gives equal bytes."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

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
