"""Outputs whose bytes are no longer those that dvc.lock names, here or in DVC's cache.

DVC trusts a file whose size and time have not changed, and its cache altogether; this reads them.
"""

import hashlib
import json
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from dvc.repo import Repo

from pipelines.dvc_lock import stages
from s3vae.files import checksum_of

FOLDER = ".dir"
"""How DVC's name of a folder ends: the list of its files, by their names."""


class Spoilt(NamedTuple):
    """A file, or a folder of which only the whole is known, that holds other than it should."""

    stage: str
    """The stage that has left it."""
    path: Path
    cached: bool
    """Whether it is the copy in DVC's cache."""

    def __str__(self) -> str:
        where = "DVC's cache" if self.cached else "the working folder"
        return f"{self.path} ({where}, left by {self.stage}) does not hold what was written"


def spoilt_outputs(folder: Path, wanted: Collection[str]) -> list[Spoilt]:
    """The outputs of these stages of a pipeline, and their copies in the cache, that are spoilt.

    A file that is missing is none: DVC sees that.
    """
    with Repo(str(folder)) as repo:
        cache = Path(repo.cache.local.path)
    found = []
    for stage, entry in stages(folder).items():
        for out in entry.get("outs", ()) if stage in wanted else ():
            for path, md5 in _files(folder / out["path"], out["md5"], cache):
                copy = _cached(cache, md5)
                if path.exists() and not _holds(path, md5):
                    found.append(Spoilt(stage, path, cached=False))
                if copy.exists() and not _holds(copy, md5.removesuffix(FOLDER)):
                    found.append(Spoilt(stage, copy, cached=True))
    return list(dict.fromkeys(found))


def _files(path: Path, md5: str, cache: Path) -> Iterator[tuple[Path, str]]:
    """The files of an output, each with its md5; the folder itself if the list of them is lost."""
    listed = _cached(cache, md5)
    if md5.endswith(FOLDER) and _holds(listed, md5.removesuffix(FOLDER)):
        for each in json.loads(listed.read_text()):
            yield path / each["relpath"], each["md5"]
    else:
        yield path, md5


def _cached(cache: Path, md5: str) -> Path:
    return cache / md5[:2] / md5[2:]


def _holds(path: Path, md5: str) -> bool:
    if not md5.endswith(FOLDER):
        return path.is_file() and checksum_of(path, "md5") == md5
    files = sorted(file for file in path.rglob("*") if file.is_file())
    told = [
        {"md5": checksum_of(file, "md5"), "relpath": file.relative_to(path).as_posix()}
        for file in files
    ]
    told.sort(key=lambda each: each["relpath"])
    return hashlib.md5(json.dumps(told).encode()).hexdigest() + FOLDER == md5


def remove(spoilt: Spoilt) -> None:
    """Take it away, so that DVC puts a good copy in its place or makes it again."""
    if spoilt.path.is_dir():
        shutil.rmtree(spoilt.path)
    else:
        spoilt.path.chmod(0o644)
        spoilt.path.unlink()
