"""Videos of the user: a folder of them, with optional labels."""

import csv
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from s3vae.data.clips import SPLITS, ClipSet, Factor
from s3vae.data.crops import Crop
from s3vae.data.download import RemoteFile
from s3vae.data.footage import SIZE, Cut, Footage, read_clips, scan_footage
from s3vae.data.media import VIDEOS, find_footage
from s3vae.data.splits import require_all_splits, split_by_name
from s3vae.settings import STRICT

LABELS, FILE, SPLIT = "labels.csv", "file", "split"
Rows = Mapping[str, Mapping[str, str]]


class LabelsError(ValueError):
    """A labels.csv that does not fit the videos of its folder."""


@dataclass(frozen=True, config=STRICT)
class Videos:
    """The videos below a folder; a folder of pictures is a video too.

    The column `file` of an optional labels.csv holds the path of each video in the folder, `split`
    is train, val or test, and every other column is a factor. Without `split`, `val` and `test` are
    the approximate shares of videos of these splits.
    """

    kind: Literal["videos"] = "videos"
    cut: Cut = dataclasses.field(default_factory=Cut)
    crop: Crop = "centre"
    dynamic: tuple[str, ...] = ()
    """The columns of labels.csv that are dynamic factors; the others are static."""
    split_by: Literal["video", "clip"] = "video"
    """The unit that is split; `clip` is for a few long videos and inflates the scores."""
    val: Annotated[float, Field(ge=0, lt=0.5)] = 0.1
    test: Annotated[float, Field(ge=0, lt=0.5)] = 0.2
    most_unreadable: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """The largest allowed share of videos without clips."""
    files: ClassVar[tuple[RemoteFile, ...]] = ()

    def clips(self, raw: Path) -> ClipSet:
        """Build all clips of the folder `raw`.

        Raises FileNotFoundError, LabelsError, TooManyUnreadableError or, if a split has no clip,
        ValueError.
        """
        paths = find_footage(raw)
        if not paths:
            raise FileNotFoundError(
                f"{raw} holds no videos ({' '.join(sorted(VIDEOS))}) and no folders of pictures: "
                "add some, or name another folder in pipeline.datasets of params.yaml"
            )
        names = [path.relative_to(raw).as_posix() for path in paths]
        rows = read_labels(raw / LABELS, names, self.dynamic)
        if rows:
            paths = [path for path, name in zip(paths, names, strict=True) if name in rows]
        footage = scan_footage(str(raw), paths, self.cut, self.crop, self.most_unreadable)
        return self._clip_set(footage, raw, rows)

    def _clip_set(self, footage: Sequence[Footage], raw: Path, rows: Rows) -> ClipSet:
        video = np.repeat(np.arange(len(footage)), [len(each.windows) for each in footage])
        names = [each.path.relative_to(raw).as_posix() for each in footage]
        clip_rows = [rows[names[index]] for index in video] if rows else []
        factors, labels = factors_of(clip_rows, self.dynamic)
        split = self._split(footage, names, rows)
        require_all_splits(
            str(raw),
            split,
            f"assign videos in a column {SPLIT!r} of {LABELS}, raise `val` or `test`, set "
            "`split_by: clip` for a few long videos, or add videos",
        )
        return ClipSet(
            name="videos",
            source="videos of a folder",
            licence="that of the videos",
            parameters=dataclasses.asdict(self),
            shape=(len(video), self.cut.time, SIZE, SIZE, 3),
            frames=read_clips(footage),
            factors=factors,
            labels=labels,
            identity=video if self.split_by == "video" else np.arange(len(video)),
            split=split,
        )

    def _split(self, footage: Sequence[Footage], names: Sequence[str], rows: Rows) -> np.ndarray:
        """Return the split of every clip."""
        clips = [(n, w.start) for n, each in zip(names, footage, strict=True) for w in each.windows]
        if any(SPLIT in row for row in rows.values()):
            return np.array([SPLITS.index(rows[name][SPLIT]) for name, _ in clips])
        units = [n if self.split_by == "video" else f"{n} {start}" for n, start in clips]
        split = split_by_name(set(units), self.val, self.test)
        return np.array([split[unit] for unit in units])


def read_labels(path: Path, names: Sequence[str], dynamic: Sequence[str]) -> Rows:
    """Read labels.csv as one row per video, without `file`; empty if there is no such file.

    Raises LabelsError, which names the line, if it does not fit the videos of its folder.
    """
    if not path.exists():
        if dynamic:
            raise LabelsError(f"{path} is missing, but `dynamic` names columns of it")
        return {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        columns = list(reader.fieldnames or [])
        rows = list(reader)
    missing = [name for name in (FILE, *dynamic) if name not in columns]
    if missing:
        raise LabelsError(f"{path} has no column {', '.join(missing)}, only {', '.join(columns)}")
    if not rows:
        raise LabelsError(f"{path} labels no video: add a row for each, or remove the file")
    known, labelled = set(names), {}
    for line, row in enumerate(rows, start=2):
        name = (row.pop(FILE) or "").strip()
        fault = _fault(name, row, known)
        if fault or name in labelled:
            raise LabelsError(f"{path}, line {line}: {fault or f'{name} has two rows'}")
        labelled[name] = row
    return labelled


def _fault(name: str, row: Mapping[str | None, str | None], known: set[str]) -> str | None:
    """Return the fault of a row, or None."""
    if name not in known:
        return f"there is no video {name!r} in the folder: remove the row, or correct the path"
    if None in row or any(not value for value in row.values()):
        return "every column must have a value, and there must be no more values than columns"
    if row.get(SPLIT, "train") not in SPLITS:
        return f"{SPLIT} must be train, val or test, not {row[SPLIT]!r}"
    return None


def factors_of(
    rows: Sequence[Mapping[str, str]], dynamic: Sequence[str]
) -> tuple[tuple[Factor, ...], dict[str, np.ndarray]]:
    """Return the factors that one row per clip describes, and the labels of each."""
    factors, labels = [], {}
    for name in rows[0] if rows else ():
        if name != SPLIT:
            values, labels[name] = np.unique([row[name] for row in rows], return_inverse=True)
            kind: Literal["static", "dynamic"] = "dynamic" if name in dynamic else "static"
            factors.append(Factor(name, kind, tuple(values.tolist())))
    return tuple(factors), labels
