"""Videos of the user: a folder of them, with optional labels."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Literal, NamedTuple

import numpy as np
from numpy import ndarray
from pydantic import Field
from pydantic.dataclasses import dataclass

from s3vae.data.clips import SPLITS, ClipSet, Factor
from s3vae.data.crops import SIZE, Crop, Size
from s3vae.data.download import RemoteFile
from s3vae.data.footage import Cut, named, read_clips, scan_footage
from s3vae.data.labels import LABELS, SPLIT, Row, factors_of, labels_in, read_labels
from s3vae.data.media import FASTEST, PICTURES, VIDEOS, files_below, find_footage
from s3vae.data.overlap import overlapping
from s3vae.data.splits import TRAIN, require_all_splits, split_by_name, split_clips_by_time
from s3vae.progress import LOG
from s3vae.settings import STRICT

Unit = Literal["video", "clip", "time"]
FEW_VIDEOS = 50
"""Below it, a split by video tests on about 10 people or fewer, none of whom training saw."""
TIME = (
    "%s: its %d videos are split by time within each: few videos (under %d) show few people, and "
    "one whom training never saw is reconstructed as somebody else (`split_by: video` tests that)"
)

FEW_CLIPS = (
    "%s: %d clips to train on are less than a quarter of least_train_clips (%d), and pictures may "
    "be poor: add videos or longer ones, or set a smaller `cut.stride`"
)
OVERLAP = "%s: %d train clips are fewer than least_train_clips (%d): %d overlapping ones are added"


class Found(NamedTuple):
    """Videos by their paths in the folder, the path of their labels, and a row for each, if any."""

    videos: Mapping[str, Path]
    table: Path
    rows: Mapping[str, Row]

    @property
    def states_split(self) -> bool:
        """Whether the table has a column for the split."""
        return any(SPLIT in row.cells for row in self.rows.values())


@dataclass(frozen=True, config=STRICT)
class Videos:
    """The videos below a folder; a folder of pictures is a video too.

    The column `file` of an optional labels.csv holds the path of each video in the folder, `split`
    is train, val or test, and every other column is a factor. Without `split`, `val` and `test` are
    the approximate shares of videos of these splits.
    """

    kind: Literal["videos"] = "videos"
    cut: Cut = dataclasses.field(default_factory=Cut)
    fps: Annotated[float, Field(gt=0, le=FASTEST)] | None = None
    """Frames per second at which videos are cut, by time stamps, so that one motion has one speed;
    null: all frames. Videos with fewer are left out. A folder of pictures has no time stamps: all
    its pictures are taken."""
    crop: Crop = "centre"
    size: Size = SIZE
    dynamic: tuple[str, ...] = ()
    """The columns of labels.csv that are dynamic factors; the others are static."""
    split_by: Unit | None = None
    """`video`: no video is in two splits. `time`: train has the first clips of each video, val the
    next and test the last; short videos do not have all three. `clip`: at random, which inflates
    the scores. null: `time` for fewer than FEW_VIDEOS videos if most have a clip for each split,
    else `video`."""
    val: Annotated[float, Field(ge=0, lt=0.5)] = 0.1
    test: Annotated[float, Field(ge=0, lt=0.5)] = 0.2
    least_train_clips: Annotated[int, Field(ge=0)] = 0
    """With fewer, clips that overlap with those of the train split are added, if `cut` does not
    limit their number."""
    most_unreadable: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """The largest allowed share of videos without clips; unless it is 0, one may have none."""
    files: ClassVar[tuple[RemoteFile, ...]] = ()

    def clips(self, raw: Path) -> ClipSet:
        """Build all clips of the folder `raw`, or of one video file.

        Raises FileNotFoundError, LabelsError, TooManyUnreadableError or, if a split has too few
        clips, ValueError.
        """
        found = find_videos(raw, self.dynamic)
        self._refuse_early(found)
        paths = list(found.videos.values())
        footage = scan_footage(
            str(raw), paths, self.cut, self.crop, self.most_unreadable, self.size, self.fps
        )
        name_of = {path: name for name, path in found.videos.items()}
        clips = [(name_of[each.path], w[0]) for each in footage for w in each.windows]
        counts = [len(each.windows) for each in footage]
        unit = self._unit(found, counts)
        split, factors, labels = self._labels(clips, found, unit)
        part = np.repeat(np.arange(len(counts)), counts) * len(SPLITS) + split
        identity = np.unique(part, return_inverse=True)[1]
        if unit == "clip":
            identity = np.arange(len(part))
        least = 0 if self.cut.clips_per_video else self.least_train_clips
        footage, origin = overlapping(footage, split, least)
        if (train := int((split == TRAIN).sum())) < least:
            LOG.info(OVERLAP, raw, train, least, len(origin) - len(split))
        if 4 * (train := int((split[origin] == TRAIN).sum())) < least:
            LOG.warning(FEW_CLIPS, raw, train, least)
        return ClipSet(
            name="videos",
            source="videos of a folder",
            licence="that of the videos",
            parameters=dataclasses.asdict(self),
            shape=(len(origin), self.cut.time, *self.size, 3),
            frames=read_clips(footage, self.size),
            factors=factors,
            labels={name: values[origin] for name, values in labels.items()},
            identity=identity[origin],
            split=split[origin],
        )

    def _unit(self, found: Found, counts: Sequence[int]) -> Unit:
        """Return the unit that is split, given the number of clips of each video."""
        if found.states_split:
            if self.split_by is not None:
                raise ValueError(
                    f"{found.table} has a column {SPLIT!r}: remove it, or `split_by` in the config"
                )
            return "video"
        whole = sum(count >= len(SPLITS) for count in counts)
        by_time = len(counts) < FEW_VIDEOS and 2 * whole >= len(counts)
        return self.split_by or ("time" if by_time else "video")

    def _refuse_early(self, found: Found) -> None:
        """Refuse labels and splits, as far as they are known before the videos are read."""
        unit = self._unit(found, [len(SPLITS)] * len(found.videos))
        if unit == "video":
            self._labels([(name, part) for name in found.videos for part in range(2)], found, unit)
        else:
            rows = [*found.rows.values()]
            factors_of(found.table, rows, self.dynamic, np.full(len(rows), TRAIN))

    def _labels(
        self, clips: Sequence[tuple[str, int]], found: Found, unit: Unit
    ) -> tuple[ndarray, tuple[Factor, ...], dict[str, ndarray]]:
        """Return split, factors and labels of clips, given as video and start. Or ValueError."""
        rows = [found.rows[name] for name, _ in clips] if found.rows else []
        if found.states_split:
            split = np.array([SPLITS.index(row.cells[SPLIT]) for row in rows])
        elif unit == "time":
            counts = Counter(name for name, _ in clips)
            if self.split_by is None:
                LOG.warning(TIME, found.table.parent, len(counts), FEW_VIDEOS)
            split = split_clips_by_time([*counts.values()], self.val, self.test)
        else:
            units = [n if unit == "video" else f"{n} {start}" for n, start in clips]
            by_name = split_by_name(set(units), self.val, self.test)
            split = np.array([by_name[each] for each in units])
        remedy = f"change the column {SPLIT!r} of {found.table}"
        if not found.states_split:
            longer = "longer videos" if unit == "time" else "`split_by: time` for long videos"
            remedy = f"add videos, raise `val` or `test`, or try {longer}"
        require_all_splits(str(found.table.parent), split, remedy)
        return split, *factors_of(found.table, rows, self.dynamic, split)


def find_videos(raw: Path, dynamic: Sequence[str]) -> Found:
    """Find the labelled videos of a folder, or all without labels; log what is not used.

    Raises FileNotFoundError or LabelsError.
    """
    paths = find_footage(raw)
    if not paths:
        raise FileNotFoundError(
            f"{raw} holds no videos ({' '.join(sorted(VIDEOS))}) and no folders of pictures: "
            "add some, or name another folder in pipeline.datasets of params.yaml"
        )
    folder = raw if raw.is_dir() else raw.parent
    table = labels_in(folder)
    videos = {path.relative_to(folder).as_posix(): path for path in paths}
    rows = read_labels(table, [*videos], dynamic) if raw.is_dir() else {}
    used = {*paths, table}
    neither = [
        path
        for path in files_below(raw)
        if path not in used and not (path.parent in used and path.suffix.lower() in PICTURES)
    ]
    unlabelled = [path for name, path in videos.items() if rows and name not in rows]
    for what, unused in ((f"no row in {LABELS}", unlabelled), ("no video", neither)):
        if unused:
            LOG.warning("%s: not used (%s): %s", raw, what, named(unused))
    return Found({name: videos[name] for name in videos if not rows or name in rows}, table, rows)
