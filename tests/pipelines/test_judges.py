"""The judges of the benchmark, which the repository holds as a DVC remote."""

import json
from pathlib import Path

from pipelines.dvc_lock import stages
from s3vae.files import checksum_of

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    path.parent.name + path.name: path
    for path in (ROOT / "benchmark" / "judges" / "files" / "md5").glob("*/*")
}
"""Files of the remote by their checksums."""


def test_every_file_has_its_checksum() -> None:
    assert FILES
    for name, path in FILES.items():
        assert checksum_of(path, "md5") == name.removesuffix(".dir")


def test_the_remote_has_the_judges_of_the_table_and_of_the_demo() -> None:
    folders = {name for name in FILES if name.endswith(".dir")}
    parts = {part["md5"] for name in folders for part in json.loads(FILES[name].read_text())}
    judges = {
        out["md5"]
        for name, stage in stages(ROOT / "benchmark").items()
        if name.startswith("judge@")
        for out in stage["outs"]
    }
    demo = {out["md5"] for out in stages(ROOT)["judge@dsprites"]["outs"]}
    assert folders <= judges
    assert FILES.keys() == folders | parts | demo
