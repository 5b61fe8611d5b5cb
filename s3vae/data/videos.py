"""Anyone's videos: a folder of them, with labels for some or none."""

import csv
import dataclasses
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from s3vae.data.clips import SPLITS, ClipSet, Factor
from s3vae.data.crops import Crop
from s3vae.data.download import RemoteFile
from s3vae.data.footage import (
    SIZE,
    VIDEOS,
    Cut,
    Footage,
    clips_of,
    footage_in,
    looked_through,
    require_all_splits,
    splits_of,
)
from s3vae.settings import STRICT

LABELS, FILE, SPLIT = "labels.csv", "file", "split"
Rows = Mapping[str, Mapping[str, str]]


class LabelsError(ValueError):
    """A labels.csv that does not fit the folder it is in."""


@dataclass(frozen=True, config=STRICT)
class Videos:
    """The videos of a folder, and of the folders in it; a folder of pictures is a video too.

    Where the folder has a labels.csv, its column `file` names each video by its path in the folder;
    a column `split` says train, val or test; every other column is a factor. Without a `split`,
    `val` and `test` are about the shares of videos that are kept for these.
    """

    kind: Literal["videos"] = "videos"
    cut: Cut = dataclasses.field(default_factory=Cut)
    crop: Crop = "centre"
    dynamic: tuple[str, ...] = ()
    """The columns of labels.csv that say how something moves; the others, what it looks like."""
    split_by: Literal["video", "clip"] = "video"
    """What is in one split as a whole; `clip` is for a few long videos, and scores higher."""
    val: Annotated[float, Field(ge=0, lt=0.5)] = 0.1
    test: Annotated[float, Field(ge=0, lt=0.5)] = 0.2
    most_unreadable: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """The share of videos that may give no clip."""

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """None: they are there."""
        return ()

    def clips(self, raw: Path) -> ClipSet:
        """All clips of the folder `raw`.

        Raises FileNotFoundError, LabelsError, TooManyUnreadableError or, if a split has no clip,
        ValueError.
        """
        paths = footage_in(raw)
        if not paths:
            raise FileNotFoundError(
                f"{raw} holds no videos ({' '.join(sorted(VIDEOS))}) and no folders of pictures: "
                "put them there, or name another folder in pipeline.datasets of params.yaml"
            )
        names = [path.relative_to(raw).as_posix() for path in paths]
        rows = read_labels(raw / LABELS, names, self.dynamic)
        if rows:
            paths = [path for path, name in zip(paths, names, strict=True) if name in rows]
        found = looked_through(str(raw), paths, self.cut, self.crop, self.most_unreadable)
        return self._of(found, raw, rows)

    def _of(self, found: Sequence[Footage], raw: Path, rows: Rows) -> ClipSet:
        video = np.repeat(np.arange(len(found)), [len(each.windows) for each in found])
        seen = [each.path.relative_to(raw).as_posix() for each in found]
        names = [seen[number] for number in video]
        factors, labels = factors_of([rows[n] for n in names] if rows else [], self.dynamic)
        split = self._split(found, seen, rows)
        require_all_splits(
            str(raw),
            split,
            f"say which is which in a column {SPLIT!r} of {LABELS}, raise `val` or `test`, set "
            "`split_by: clip` for a few long videos, or add videos",
        )
        return ClipSet(
            name="videos",
            source="videos of a folder",
            licence="that of the videos",
            parameters=dataclasses.asdict(self),
            shape=(len(video), self.cut.time, SIZE, SIZE, 3),
            frames=chain.from_iterable(clips_of(each) for each in found),
            factors=factors,
            labels=labels,
            identity=video if self.split_by == "video" else np.arange(len(video)),
            split=split,
        )

    def _split(self, found: Sequence[Footage], names: Sequence[str], rows: Rows) -> np.ndarray:
        """The split of every clip."""
        whose, units = [], []
        for each, name in zip(found, names, strict=True):
            for window in each.windows:
                whose.append(name)
                units.append(name if self.split_by == "video" else f"{name} {window.start}")
        if any(SPLIT in row for row in rows.values()):
            return np.array([SPLITS.index(rows[name][SPLIT]) for name in whose])
        split = splits_of(set(units), self.val, self.test)
        return np.array([split[unit] for unit in units])


def read_labels(path: Path, names: Sequence[str], dynamic: Sequence[str]) -> Rows:
    """The rows of labels.csv by video, without their `file`; none if there is no such file.

    Raises LabelsError, which names the row, if it does not fit the videos in its folder.
    """
    if not path.exists():
        if dynamic:
            raise LabelsError(f"{path} is not there, and `dynamic` names columns of it")
        return {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        columns = list(reader.fieldnames or [])
        rows = list(reader)
    missing = [name for name in (FILE, *dynamic) if name not in columns]
    if missing:
        raise LabelsError(f"{path} has no column {', '.join(missing)}, only {', '.join(columns)}")
    if not rows:
        raise LabelsError(f"{path} labels no video: add a row for each, or take the file away")
    known, labelled = set(names), {}
    for line, row in enumerate(rows, start=2):
        name = (row.pop(FILE) or "").strip()
        fault = _fault(name, row, known)
        if fault or name in labelled:
            raise LabelsError(f"{path}, line {line}: {fault or f'{name} is labelled twice'}")
        labelled[name] = row
    return labelled


def _fault(name: str, row: Mapping[str | None, str | None], known: set[str]) -> str | None:
    """What is wrong with a row, if anything."""
    if name not in known:
        return f"there is no video {name!r} in the folder: take the row out, or mend the path"
    if None in row or any(not value for value in row.values()):
        return "every column must have a value, and there must be no more values than columns"
    if row.get(SPLIT, "train") not in SPLITS:
        return f"{SPLIT} must be train, val or test, not {row[SPLIT]!r}"
    return None


def factors_of(
    rows: Sequence[Mapping[str, str]], dynamic: Sequence[str]
) -> tuple[tuple[Factor, ...], dict[str, np.ndarray]]:
    """The factors that the columns of a row per clip tell, and each clip's label."""
    factors, labels = [], {}
    for name in rows[0] if rows else ():
        if name == SPLIT:
            continue
        values, label = np.unique([row[name] for row in rows], return_inverse=True)
        kind: Literal["static", "dynamic"] = "dynamic" if name in dynamic else "static"
        factors.append(Factor(name, kind, tuple(values.tolist())))
        labels[name] = label
    return tuple(factors), labels
