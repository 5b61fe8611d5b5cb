"""The judges of the benchmark that are in the repository, as a DVC remote."""

import json
from collections.abc import Iterator
from pathlib import Path

from pipelines.dvc_lock import stages
from s3vae.files import checksum_of

ROOT = Path(__file__).resolve().parents[2]
JUDGES = ROOT / "benchmark" / "judges" / "files" / "md5"


def kept() -> Iterator[tuple[str, Path]]:
    """By the name that the remote gives it, every file."""
    for path in JUDGES.glob("*/*"):
        yield path.parent.name + path.name, path


def locked() -> set[str]:
    """The judges that the rows of the table were scored by."""
    return {
        out["md5"]
        for name, stage in stages(ROOT / "benchmark").items()
        if name.startswith("judge@")
        for out in stage["outs"]
        if out["md5"].endswith(".dir")
    }


def test_every_file_is_whole() -> None:
    files = dict(kept())
    assert files
    for name, path in files.items():
        assert checksum_of(path, "md5") == name.removesuffix(".dir")


def test_all_are_judges_of_the_table_and_complete() -> None:
    files = dict(kept())
    folders = {name for name in files if name.endswith(".dir")}
    parts = {part["md5"] for name in folders for part in json.loads(files[name].read_text())}
    assert folders <= locked()
    assert set(files) == folders | parts
