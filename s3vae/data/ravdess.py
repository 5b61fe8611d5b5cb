"""RAVDESS: actors who speak two sentences in eight emotions (Livingstone and Russo 2018)."""

import dataclasses
import json
import re
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from s3vae.data.clips import ClipSet, Factor
from s3vae.data.crops import Crop
from s3vae.data.download import RemoteFile, text_at
from s3vae.data.footage import SIZE, Cut, clips_of, looked_through, require_all_splits
from s3vae.files import replacing
from s3vae.progress import LOG
from s3vae.settings import STRICT

RECORD = 1188976
FOLDER = Path("ravdess")
ACTORS = 24
EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
NAME = re.compile(r"(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)\.mp4")
"""Modality, voice, emotion, intensity, sentence, repetition, actor."""
MD5 = re.compile(r"(?:md5:)?([0-9a-f]{32})")
SILENT, SPEECH = "02", "01"
"""The modality without sound (the same pictures as with it), and the voice that speaks."""
ZIP_LIMIT = 64 << 20
"""Bytes of the largest video that is unpacked: one has about 4 MB."""


class Take(NamedTuple):
    """What a file name tells."""

    emotion: int
    sentence: int
    repetition: int
    actor: int


@dataclass(frozen=True, config=STRICT)
class WholeVideo(Cut):
    """A clip that is spread over the whole video, unless a stride is asked for."""

    stride: Annotated[int, Field(ge=1)] | None = None


@dataclass(frozen=True, config=STRICT)
class RAVDESS:
    """The spoken videos of some actors. Actors are in all splits: they are to be recognized.

    The second repetition of each sentence is not trained on: of the first sentence it validates,
    of the second one it tests.
    """

    kind: Literal["ravdess"] = "ravdess"
    actors: tuple[Annotated[int, Field(ge=1, le=ACTORS)], ...] = tuple(range(1, ACTORS + 1))
    cut: WholeVideo = WholeVideo()
    crop: Crop = "face"
    most_unreadable: Annotated[float, Field(ge=0, lt=1)] = 0.05
    lock: str = "data/ravdess.lock.json"
    """Where the record's checksums are kept from first use on; a file to commit."""
    site: str = "https://zenodo.org"

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """An archive (550 MB) per actor, with the md5 that was locked.

        Raises LockError if there is no lock file and the record cannot be asked for the checksums.
        """
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
        """The clips of the archives below `raw`, which are unpacked beside them."""
        paths = [path for actor in self.actors for path in unpacked(raw / FOLDER / archive(actor))]
        found = looked_through("ravdess", paths, self.cut, self.crop, self.most_unreadable)
        takes = [taken for each in found if (taken := take_of(each.path.name))]
        count = [len(each.windows) for each in found]
        split = np.repeat([split_of_take(take) for take in takes], count)
        require_all_splits("ravdess", split, "its archives lack takes: download them again")
        people = sorted({take.actor for take in takes})
        return ClipSet(
            name="ravdess",
            source=f"{self.site}/records/{RECORD}",
            licence="CC BY-NC-SA 4.0",
            parameters=dataclasses.asdict(self),
            shape=(sum(count), self.cut.time, SIZE, SIZE, 3),
            frames=chain.from_iterable(clips_of(each) for each in found),
            factors=(
                Factor("actor", "static", tuple(f"{actor:02}" for actor in people)),
                Factor("emotion", "dynamic", EMOTIONS),
            ),
            labels={
                "actor": np.repeat([people.index(take.actor) for take in takes], count),
                "emotion": np.repeat([take.emotion for take in takes], count),
            },
            identity=np.repeat(np.arange(len(found)), count),
            split=split,
        )


class LockError(RuntimeError):
    """Checksums that are not to be had."""


def locked_sums(names: Iterable[str], lock: Path, site: str) -> Mapping[str, str]:
    """The md5 of these archives: from the lock file, which at first use the record is asked for.

    Raises LockError, with the mend.
    """
    if not lock.exists():
        lock_sums(lock, site)
    try:
        locked = json.loads(lock.read_text())["md5"]
        return {name: MD5.fullmatch(locked[name])[1] for name in names}  # type: ignore[index]
    except (ValueError, KeyError, TypeError) as error:
        raise LockError(
            f"{lock} does not hold an md5 of every archive ({error!r}): restore it from git, or "
            "delete it to ask the record again"
        ) from error


def lock_sums(lock: Path, site: str) -> None:
    """Ask the record for its checksums and keep them. Raises LockError, with the mend."""
    try:
        record = json.loads(text_at(f"{site}/api/records/{RECORD}"))
        sums = {each["key"]: each["checksum"] for each in record["files"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LockError(
            f"the checksums of RAVDESS are not to be had ({error}). Once a machine that "
            f"reaches {site} has written {lock}, commit that file: then it is not asked again"
        ) from error
    with replacing(lock) as aside:
        aside.write_text(json.dumps({"record": RECORD, "md5": sums}, indent=2) + "\n")
    LOG.info("locked the checksums of RAVDESS in %s: commit it", lock)


def archive(actor: int) -> str:
    """The name of an actor's archive."""
    return f"Video_Speech_Actor_{actor:02}.zip"


def take_of(name: str) -> Take | None:
    """What a file's name tells, or None if it is not a silent video of speech."""
    told = NAME.fullmatch(name)
    if told is None or told[1] != SILENT or told[2] != SPEECH:
        return None
    emotion, sentence, repetition, actor = (int(told[k]) for k in (3, 5, 6, 7))
    return Take(emotion - 1, sentence, repetition, actor)


def split_of_take(take: Take) -> int:
    """0 (train), 1 (val) or 2 (test)."""
    if take.repetition == 1:
        return 0
    return 1 if take.sentence == 1 else 2


def unpacked(path: Path) -> Iterator[Path]:
    """The silent videos of speech of an archive, in a folder beside it, in order of name.

    No member is written anywhere else, whatever its name says, nor one of absurd size.
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
