"""Outputs whose bytes differ from those in dvc.lock, in the working folder or in DVC's cache.

DVC trusts a file whose size and time have not changed, and its cache altogether; this reads them.
"""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from dvc.repo import Repo
from dvc.repo.index import Index

from pipelines.dvc_lock import stages
from s3vae.files import checksum_of

FOLDER = ".dir"
"""The end of DVC's name of a folder, under which its cache holds the list of the files."""


class Corrupted(NamedTuple):
    """An output, or a file of it in DVC's cache, with other bytes than its stage has written."""

    stage: str
    path: Path
    cached: bool
    """Whether the path is in DVC's cache."""

    def __str__(self) -> str:
        where = "DVC's cache" if self.cached else "the working folder"
        return f"{self.path} ({where}, written by {self.stage}) is corrupted"


def corrupted_outputs(names: Collection[str]) -> list[Corrupted]:
    """Return the corrupted outputs of these stages. Missing outputs are not: DVC notices them."""
    corrupted = []
    with (
        tempfile.TemporaryDirectory() as empty,  # instead of the checksums that DVC remembers
        Repo(config={"core": {"site_cache_dir": empty}}) as repo,
    ):
        cache = Path(repo.cache.local.path)
        for stage in Index.from_file(repo, str(Path.cwd() / "dvc.yaml")).stages:
            for out in stage.outs if stage.name in names else ():
                if out.hash_info and out.exists and out.changed_checksum():
                    corrupted.append(Corrupted(stage.name, Path(str(out)), cached=False))
                for path in _cached(cache, out.hash_info.value if out.hash_info else None):
                    if not _is_intact(path):
                        corrupted.append(Corrupted(stage.name, path, cached=True))
    return list(dict.fromkeys(corrupted))


def _cached(cache: Path, md5: str | None) -> Iterator[Path]:
    """The files of an output in DVC's cache."""
    path = cache / md5[:2] / md5[2:] if md5 else cache
    if not path.is_file():
        return
    yield path
    if path.suffix == FOLDER and _is_intact(path):
        for file in json.loads(path.read_text()):
            yield from _cached(cache, file["md5"])


def _is_intact(path: Path) -> bool:
    """Whether a file of DVC's cache has the checksum that is its name."""
    return checksum_of(path, "md5") == path.parent.name + path.name.removesuffix(FOLDER)


def restore(corrupted: Sequence[Corrupted]) -> None:
    """Remove corrupted files, so that DVC restores intact copies or runs their stages again.

    Where only DVC's copy is corrupted, the intact output is put into its cache again.
    """
    for each in corrupted:
        if each.path.is_dir():
            shutil.rmtree(each.path)
        else:
            each.path.chmod(0o644)
            each.path.unlink()
    outputs_lost = {each.stage for each in corrupted if not each.cached}
    known = stages(Path())
    for stage in sorted({each.stage for each in corrupted} - outputs_lost):
        if all(Path(out["path"]).exists() for out in known[stage]["outs"]):
            command = ["dvc", "--wait-for-lock", "commit", "--force", "-q", stage]
            subprocess.run(command, check=True)
