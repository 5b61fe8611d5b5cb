"""Files that are either whole or not there."""

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NO_ROOM = tuple(os.strerror(code) for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
"""How the system says that nothing more can be written; libraries repeat it in their errors."""


class NoRoomError(OSError):
    """A file could not be written whole, for want of room on its disk."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write a file or folder at; it replaces `path` only if the block ends well.

    The name is the same as that of `path` (some formats store it) in a temporary folder beside it.
    Raises NoRoomError, with what was there untouched, if the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield aside / path.name
        if not (aside / path.name).exists():
            msg = f"nothing was written for {path}, so what is there stays"
            raise FileNotFoundError(msg)
        if path.is_dir():
            path.rename(aside / f"{path.name}.old")
        (aside / path.name).replace(path)
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
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def checksum_of(path: Path, algorithm: str = "sha256") -> str:
    """The checksum of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
