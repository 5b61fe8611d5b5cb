"""The table labels.csv beside videos: a row per video, and a column per factor.

Spreadsheets write such tables in several encodings, with several delimiters and with blanks.
"""

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from s3vae.data.clips import SPLITS, Factor
from s3vae.data.splits import TRAIN
from s3vae.progress import LOG

LABELS, FILE, SPLIT = "labels.csv", "file", "split"
DELIMITERS = ",;\t"
STATED = re.compile(r"sep=(.)")
"""The first line by which Excel states its delimiter."""
UNSEEN = "\u200b\u2060\ufeff"
"""Characters without width, which copied text brings along."""
NAMED = 3
"""Values of a column that an error names."""
LOGGED = {"total", "step", "gradient norm"}
"""Names in a judge's history that a factor of the same name would replace."""


class LabelsError(ValueError):
    """A labels.csv that does not fit the videos of its folder."""


class Row(NamedTuple):
    """A row of a table: the number of its line, and its cells by column."""

    line: int
    cells: dict[str, str]


def labels_in(folder: Path) -> Path:
    """Return the path of the table in a folder, whatever the case of its name."""
    found = (path for path in sorted(folder.glob("*")) if path.name.lower() == LABELS)
    return next(found, folder / LABELS)


def read_labels(path: Path, names: Sequence[str], dynamic: Sequence[str]) -> Mapping[str, Row]:
    """Read labels.csv as one row per video, without `file`; empty if there is no such file.

    Raises LabelsError, which names the line, if it does not fit the videos of its folder.
    """
    if not path.exists():
        if dynamic:
            raise LabelsError(f"{path} is missing, but `dynamic` names columns of it")
        return {}
    columns, rows = read_table(path)
    missing = [name for name in (FILE, *dynamic) if name not in columns]
    if missing:
        raise LabelsError(
            f"{path} has no column {', '.join(missing)}, only {', '.join(columns)}: add it, or "
            f"rename one ({FILE} holds the paths of videos; `dynamic` names others)"
        )
    if not rows:
        raise LabelsError(f"{path} labels no video: add a row for each, or remove the file")
    known = {unicodedata.normalize("NFC", name): name for name in names}
    labelled: dict[str, Row] = {}
    for row in rows:
        name = row.cells.pop(FILE).replace("\\", "/").removeprefix("./")
        if SPLIT in columns:
            row.cells[SPLIT] = row.cells[SPLIT].lower()
        fault = _fault(name, row.cells, name in known)
        if fault or known[name] in labelled:
            raise LabelsError(f"{path}, line {row.line}: {fault or f'{name} has two rows'}")
        labelled[known[name]] = row
    return labelled


def _fault(name: str, cells: Mapping[str, str], known: bool) -> str | None:
    """Return the fault of a row, or None."""
    if not known:
        return f"there is no video {name!r} in the folder: remove the row, or correct the path"
    if "" in cells:
        return f"there is a value without a column ({cells['']!r}): name the column, or remove it"
    if empty := [column for column, value in cells.items() if not value]:
        return f"{', '.join(empty)} has no value: every column must have one in every row"
    if cells.get(SPLIT, "train") not in SPLITS:
        return f"{SPLIT} must be train, val or test, not {cells[SPLIT]!r}"
    return None


def read_table(path: Path) -> tuple[list[str], list[Row]]:
    """Return the names of the columns, and all rows that are not blank.

    The delimiter is the one that Excel states, or the most frequent one of the header. Blanks
    around cells and blank cells at the end of a row are left out; cells without a column are in the
    column "". Raises LabelsError.
    """
    text = unicodedata.normalize("NFC", _text(path))
    header = next(filter(str.strip, text.splitlines()), "")
    stated = STATED.fullmatch(header.strip())
    delimiter = stated[1] if stated else max(DELIMITERS, key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows, line = [], 1
    for cells in reader:
        stripped = [cell.strip().strip(UNSEEN).strip() for cell in cells]
        while stripped and not stripped[-1]:
            stripped.pop()
        if stripped:
            rows.append((line, stripped))
        line = reader.line_num + 1
    rows = rows[stated is not None :]
    _, columns = rows.pop(0) if rows else (0, [])
    columns = [each.lower() if each.lower() in (FILE, SPLIT) else each for each in columns]
    for fault in _unusable(columns):
        raise LabelsError(f"{path}: {fault}")
    return columns, [
        Row(line, dict(zip_longest(columns, cells, fillvalue=""))) for line, cells in rows
    ]


def _text(path: Path) -> str:
    """Return the text of a file in UTF-8, in UTF-16 or in Windows-1252."""
    content = path.read_bytes()
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    elif b"\0" in content[:2]:  # `file` in UTF-16 without its mark
        encodings = ["utf-16-be" if content[0] == 0 else "utf-16-le"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "cp1252":
            LOG.warning("%s is not UTF-8: it is read as Windows-1252", path)
        return text
    raise LabelsError(f"{path} is in no known encoding: save it as CSV in UTF-8")


def _unusable(columns: Sequence[str]) -> Iterator[str]:
    """Yield the faults of the columns' names."""
    from torch.nn import ModuleDict  # takes seconds; the classifiers are its attributes

    for number, name in enumerate(columns, start=1):
        if not name:
            yield f"column {number} has no name: name it, or delete it"
        if columns.count(name) > 1:
            yield f"two columns are called {name!r}: rename or delete one"
        if hasattr(ModuleDict(), name) or name in LOGGED or "." in name or "/" in name:
            yield f"a column cannot be called {name!r}: rename it, without dots and slashes"


def factors_of(
    path: Path, rows: Sequence[Row], dynamic: Sequence[str], split: Int[ndarray, " clip"]
) -> tuple[tuple[Factor, ...], dict[str, ndarray]]:
    """Return the factors that one row per clip describes, and the labels of each.

    Raises LabelsError if a classifier that is trained on the train split could not learn a factor.
    """
    factors, labels = [], {}
    faults: list[str] = []
    for name in rows[0].cells if rows else ():
        if name != SPLIT:
            values, labels[name] = np.unique([row.cells[name] for row in rows], return_inverse=True)
            kind: Literal["static", "dynamic"] = "dynamic" if name in dynamic else "static"
            factors.append(Factor(name, kind, tuple(values.tolist())))
            faults += _unlearnable(name, rows, split)
    if faults:
        remedy = f"Delete the column, or give train every value in a column {SPLIT!r}."
        if SPLIT not in rows[0].cells:
            remedy += " Or set `split_by: time` in the `data` section."
        raise LabelsError("\n  ".join([f"{path} cannot be learned:", *faults, remedy]))
    return tuple(factors), labels


def _unlearnable(name: str, rows: Sequence[Row], split: Int[ndarray, " clip"]) -> Iterator[str]:
    """Yield why a classifier cannot learn a column."""
    lines = {row.cells[name]: row.line for row in reversed(rows)}
    trained = {row.cells[name] for row, k in zip(rows, split, strict=True) if k == TRAIN}
    if len(lines) == 1:
        yield f"{name}: all videos have the value {next(iter(lines))!r}"
    unseen = [f"{value!r} (line {lines[value]})" for value in lines if value not in trained]
    if unseen:
        more = f" and {len(unseen) - NAMED} more" if len(unseen) > NAMED else ""
        yield f"{name}: no video of the train split has {', '.join(unseen[:NAMED])}{more}"
