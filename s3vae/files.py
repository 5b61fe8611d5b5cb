"""Files and folders that are written completely or not at all."""

import errno
import fcntl
import glob
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import h5py

NO_ROOM = tuple(os.strerror(code) for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
"""The system's messages for a full disk, quota or file, which libraries repeat in their errors."""
LOCK_FILE, UNLOCKED = ".lock", ".unlocked-"
"""The file in a temporary folder that its process locks until it ends, and the prefix of the
folder's name until the file is locked."""


class NoRoomError(OSError):
    """A file could not be written completely because its disk or quota is full."""


class FileInUseError(RuntimeError):
    """A file that is not damaged, but that another program or its owner keeps from being read."""


def open_hdf5(path: Path) -> h5py.File:
    """Open an HDF5 file for reading. Raises FileInUseError, or OSError if it is damaged."""
    try:
        return h5py.File(path, "r")
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            raise
        msg = (
            f"{path} cannot be read ({os.strerror(error.errno)}): close the program that has it "
            "open for writing, such as a viewer, or allow this user to read it"
        )
        raise FileInUseError(msg) from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path for a file or folder that replaces `path` if the block raises nothing.

    It has the name of `path`, which some formats store, in a temporary folder beside it. Raises
    NoRoomError if the disk is full, and FileNotFoundError if the block wrote nothing; `path` is
    then unchanged. Permissions are those of the replaced file or folder, or else the usual ones.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(path)
    try:
        with folder_beside(path) as folder:
            aside = folder / path.name
            yield aside
            if not aside.exists():
                msg = f"nothing was written for {path}, which is unchanged"
                raise FileNotFoundError(msg)
            # some libraries write files that only their owner can read
            use_permissions(aside, path, usual=folder / LOCK_FILE)
            put_in_place(aside, path)
    except Exception as error:
        if any(message in str(error) for message in NO_ROOM):
            free = shutil.disk_usage(path.parent).free / 2**20
            msg = (
                f"{path} could not be written and is unchanged: the disk or quota of {path.parent} "
                f"is full ({free:.0f} MiB free). Free some space, then start again"
            )
            raise NoRoomError(msg) from error
        raise


def put_in_place(aside: Path, path: Path) -> None:
    """Move a file or folder to `path`, in place of what is there; an error restores that."""
    if not path.is_dir():
        aside.replace(path)
        return
    old = old_version(aside)
    path.rename(old)
    try:
        aside.replace(path)
    except BaseException:
        old.rename(path)
        raise


def use_permissions(new: Path, old: Path, usual: Path) -> None:
    """Give a file or folder the permissions of the old one; new files have those of `usual`."""
    if new.is_dir() and old.is_dir():
        new.chmod(stat.S_IMODE(old.stat().st_mode))
    like = old if old.is_file() else usual
    for file in [new] if new.is_file() else new.rglob("*"):
        if file.is_file() and not file.is_symlink():
            file.chmod(stat.S_IMODE(like.stat().st_mode))


def old_version(aside: Path) -> Path:
    """Return the temporary path of the folder that the one at `aside` replaces."""
    return aside.with_name(f"{aside.name}.old")


@contextmanager
def folder_beside(path: Path) -> Iterator[Path]:
    """Yield a hidden temporary folder, locked against `remove_abandoned` during the block."""
    folder = Path(tempfile.mkdtemp(prefix=UNLOCKED, dir=path.parent))
    try:
        with (folder / LOCK_FILE).open("w") as lock:
            with suppress(OSError):  # not every file system has locks
                fcntl.flock(lock, fcntl.LOCK_EX)
            # renamed after locking: `remove_abandoned` finds only the new name
            folder = folder.rename(
                folder.with_name(f".{path.name}.{folder.name.removeprefix(UNLOCKED)}")
            )
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned(path: Path) -> None:
    """Remove the temporary folders beside `path` of killed processes.

    If such a process had already moved the old content of `path` away, that is restored.
    """
    for folder in path.parent.glob(f".{glob.escape(path.name)}.*"):
        with suppress(OSError), (folder / LOCK_FILE).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            old = old_version(folder / path.name)
            if old.exists() and not path.exists():
                old.rename(path)
            shutil.rmtree(folder)


def checksum_of(path: Path, algorithm: str = "sha256") -> str:
    """Return the checksum of a file's bytes in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
