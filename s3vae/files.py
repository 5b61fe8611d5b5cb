"""Files that are either whole or not there."""

import errno
import fcntl
import glob
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

NO_ROOM = tuple(os.strerror(code) for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
"""How the system says that nothing more can be written; libraries repeat it in their errors."""
HELD, UNHELD = ".held", ".unheld-"
"""The file in a temporary folder that is locked as long as the process lives that made it, and what
the folder's name begins with until then."""


class NoRoomError(OSError):
    """A file could not be written whole, for want of room on its disk."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write a file or folder at; it replaces `path` only if the block ends well.

    The name is the same as that of `path` (some formats store it) in a temporary folder beside it.
    Raises NoRoomError, with what was there untouched, if the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(path)
    try:
        with folder_beside(path) as folder:
            aside = folder / path.name
            yield aside
            if not aside.exists():
                msg = f"nothing was written for {path}, so what is there stays"
                raise FileNotFoundError(msg)
            put_in_place(aside, path)
        if path.is_file():
            path.chmod(0o644)  # some libraries write files that only their owner may read
    except Exception as error:
        if any(said in str(error) for said in NO_ROOM):
            free = shutil.disk_usage(path.parent).free / 2**20
            msg = (
                f"{path} could not be written, for want of room ({free:.0f} MiB are free in "
                f"{path.parent}); what was there before stays. Make room, then start again"
            )
            raise NoRoomError(msg) from error
        raise


def put_in_place(aside: Path, path: Path) -> None:
    """Move what was written over what was there; a folder that was there goes out of the way."""
    if not path.is_dir():
        aside.replace(path)
        return
    old = old_beside(aside)
    path.rename(old)
    try:
        aside.replace(path)
    except BaseException:
        old.rename(path)
        raise


def old_beside(aside: Path) -> Path:
    """Where a folder is while the one that was written aside takes its place."""
    return aside.with_name(f"{aside.name}.old")


@contextmanager
def folder_beside(path: Path) -> Iterator[Path]:
    """A temporary folder, hidden, named after `path`, which `remove_abandoned` knows as in use."""
    folder = Path(tempfile.mkdtemp(prefix=UNHELD, dir=path.parent))
    try:
        with (folder / HELD).open("w") as held:
            with suppress(OSError):  # not every file system has locks
                fcntl.flock(held, fcntl.LOCK_EX)
            # only now may it be found: who looks finds it locked
            folder = folder.rename(
                folder.with_name(f".{path.name}.{folder.name.removeprefix(UNHELD)}")
            )
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned(path: Path) -> None:
    """Remove the folders beside `path` that killed processes were writing it in.

    What was at `path` and had to make way already comes back.
    """
    for folder in path.parent.glob(f".{glob.escape(path.name)}.*"):
        with suppress(OSError), (folder / HELD).open("r+") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            old = old_beside(folder / path.name)
            if old.exists() and not path.exists():
                old.rename(path)
            shutil.rmtree(folder)


def checksum_of(path: Path, algorithm: str = "sha256") -> str:
    """The checksum of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
