"""RAVDESS: actors who speak two sentences with eight emotions (Livingstone and Russo 2018)."""

import dataclasses
import json
import re
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from s3vae.data.clips import ClipSet, Factor
from s3vae.data.crops import SIZE, Crop, Size
from s3vae.data.download import RemoteFile, text_at
from s3vae.data.footage import Cut, read_clips, scan_footage
from s3vae.data.splits import TEST, TRAIN, VAL, require_all_splits
from s3vae.files import replacing
from s3vae.progress import LOG
from s3vae.settings import STRICT

RECORD = 1188976
FOLDER = Path("ravdess")
ACTORS = 24
EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
NAME = re.compile(r"02-01-(\d\d)-\d\d-(\d\d)-(\d\d)-(\d\d)\.mp4")
"""The name of a silent video (02; its pictures equal those with sound) of speech (01): emotion,
intensity, sentence, repetition, actor."""
MD5 = re.compile(r"(?:md5:)?([0-9a-f]{32})")
ZIP_LIMIT = 64 << 20
"""Bytes of the largest video that is unpacked; one has about 4 MB."""


class Take(NamedTuple):
    """The part of a file name that is used."""

    emotion: int
    sentence: int
    repetition: int
    actor: int


@dataclass(frozen=True, config=STRICT)
class WholeVideo(Cut):
    """A cut that spreads one clip over the whole video, unless a stride is set."""

    stride: Annotated[int, Field(ge=1)] | None = None


@dataclass(frozen=True, config=STRICT)
class RAVDESS:
    """The spoken videos of some actors. All actors are in all splits, to be recognized.

    The second repetition of the first sentence is for validation, that of the second for testing.
    """

    kind: Literal["ravdess"] = "ravdess"
    actors: tuple[Annotated[int, Field(ge=1, le=ACTORS)], ...] = tuple(range(1, ACTORS + 1))
    cut: WholeVideo = WholeVideo()
    crop: Crop = "face"
    size: Size = SIZE
    most_unreadable: Annotated[float, Field(ge=0, lt=1)] = 0.05
    lock: str = "data/ravdess.lock.json"
    """The file with the record's checksums, written at first use, to be committed."""
    site: str = "https://zenodo.org"

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """One archive (550 MB) per actor, with its locked md5. Raises LockError."""
        names = [archive(actor) for actor in self.actors]
        sums = locked_sums(names, Path(self.lock), self.site)
        return tuple(
            RemoteFile(
                str(FOLDER / name),
                sums[name],
                (f"{self.site}/records/{RECORD}/files/{name}?download=1",),
                algorithm="md5",
            )
            for name in names
        )

    def clips(self, raw: Path) -> ClipSet:
        """Unpack the archives below `raw`, each in a folder beside it, and build their clips."""
        paths = [path for actor in self.actors for path in unpack(raw / FOLDER / archive(actor))]
        footage = scan_footage(
            "ravdess", paths, self.cut, self.crop, self.most_unreadable, self.size
        )
        takes = [take for each in footage if (take := take_of(each.path.name))]
        count = [len(each.windows) for each in footage]
        split = np.repeat([split_of_take(take) for take in takes], count)
        require_all_splits("ravdess", split, "its archives lack takes: download them again")
        people = sorted({take.actor for take in takes})
        return ClipSet(
            name="ravdess",
            source=f"{self.site}/records/{RECORD}",
            licence="CC BY-NC-SA 4.0",
            parameters=dataclasses.asdict(self),
            shape=(sum(count), self.cut.time, *self.size, 3),
            frames=read_clips(footage, self.size),
            factors=(
                Factor("actor", "static", tuple(f"{actor:02}" for actor in people)),
                Factor("emotion", "dynamic", EMOTIONS),
            ),
            labels={
                "actor": np.repeat([people.index(take.actor) for take in takes], count),
                "emotion": np.repeat([take.emotion for take in takes], count),
            },
            identity=np.repeat(np.arange(len(footage)), count),
            split=split,
        )


class LockError(RuntimeError):
    """Checksums that are unavailable."""


def locked_sums(names: Iterable[str], lock: Path, site: str) -> Mapping[str, str]:
    """Read the md5 of some archives from the lock file, which is written if it does not exist.

    Raises LockError, with the remedy.
    """
    if not lock.exists():
        lock_sums(lock, site)
    try:
        locked = json.loads(lock.read_text())["md5"]
        return {name: MD5.fullmatch(locked[name])[1] for name in names}  # type: ignore[index]
    except (ValueError, KeyError, TypeError) as error:
        raise LockError(
            f"{lock} does not hold an md5 of every archive ({error!r}): restore it from git, or "
            "delete it to request the checksums again"
        ) from error


def lock_sums(lock: Path, site: str) -> None:
    """Request the checksums of the record and write them. Raises LockError, with the remedy."""
    try:
        record = json.loads(text_at(f"{site}/api/records/{RECORD}"))
        sums = {each["key"]: each["checksum"] for each in record["files"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LockError(
            f"the checksums of RAVDESS are unavailable ({error}). Run this on a machine that "
            f"reaches {site}, then commit the file {lock} that it writes"
        ) from error
    with replacing(lock) as aside:
        aside.write_text(json.dumps({"record": RECORD, "md5": sums}, indent=2) + "\n")
    LOG.info("wrote the checksums of RAVDESS to %s: commit it", lock)


def archive(actor: int) -> str:
    """Return the name of an actor's archive."""
    return f"Video_Speech_Actor_{actor:02}.zip"


def take_of(name: str) -> Take | None:
    """Parse a file name; None if it is not that of a silent video of speech."""
    match = NAME.fullmatch(name)
    if match is None:
        return None
    emotion, sentence, repetition, actor = map(int, match.groups())
    return Take(emotion - 1, sentence, repetition, actor)


def split_of_take(take: Take) -> int:
    """Return the split of a take."""
    if take.repetition == 1:
        return TRAIN
    return VAL if take.sentence == 1 else TEST


def unpack(path: Path) -> Iterator[Path]:
    """Unpack the silent videos of speech into a folder beside an archive; yield them by name.

    Members are written only there, whatever path they have, and only up to ZIP_LIMIT.
    """
    folder = path.with_suffix("")
    with replacing(folder) as aside, zipfile.ZipFile(path) as packed:
        aside.mkdir()
        for member in packed.infolist():
            name = member.filename.rpartition("/")[2]
            if take_of(name) is not None and member.file_size <= ZIP_LIMIT:
                with packed.open(member) as source, (aside / name).open("wb") as target:
                    shutil.copyfileobj(source, target)
    yield from sorted(folder.iterdir())
