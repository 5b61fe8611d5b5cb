"""Outputs with other bytes than were written, in a repository of DVC's."""

import hashlib
import os
import shutil
import sys
from pathlib import Path

import pytest
from dvc.repo import Repo

from pipelines.retraining.outputs import corrupted_outputs, restore

DAG = """
stages:
  one:
    cmd: python -c "open('one.bin', 'wb').write(bytes(range(256)))"
    outs: [one.bin]
  many:
    cmd: mkdir many && for k in 1 2 3; do echo $k > many/$k; done
    outs: [many]
  noted:
    cmd: python -c "open('noted.json', 'w').write('{}')"
    outs:
      - noted.json: {cache: false}
"""
STAGES = ("one", "many", "noted")
MD5 = hashlib.md5(bytes(range(256))).hexdigest()


def reproduce() -> None:
    with Repo() as repo:
        repo.reproduce()


def changed() -> dict[str, object]:
    """Return what DVC itself knows to be changed."""
    with Repo() as repo:
        found: dict[str, object] = repo.status()
    return found


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose stages have run."""
    folder = tmp_path_factory.mktemp("built")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        patch.chdir(folder)
        Repo.init(no_scm=True).close()
        with Path(".dvc/config").open("a") as config:
            config.write("[cache]\n    dir = ../cache\n")  # whatever this machine's is
        Path("dvc.yaml").write_text(DAG)
        reproduce()
    return folder


@pytest.fixture(autouse=True)
def repository(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.chdir(shutil.copytree(built, tmp_path / "repository"))
    assert not changed()  # after which DVC knows all sizes and times


def corrupt(path: Path) -> None:
    """Write other bytes, but keep the size and time by which DVC detects changes."""
    before, content = path.stat(), path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_neither_intact_nor_missing_outputs_are_corrupted() -> None:
    assert corrupted_outputs(STAGES) == []
    Path("one.bin").unlink()
    assert corrupted_outputs(STAGES) == []


@pytest.mark.parametrize(
    ("path", "stage", "listed"),
    [
        ("one.bin", "one", True),
        ("many/1", "many", True),
        ("many/1", "many", False),
        ("noted.json", "noted", True),
    ],
)
def test_a_corrupted_output_is_named_and_restored(path: str, stage: str, listed: bool) -> None:
    output, content = Path(path).parts[0], Path(path).read_bytes()
    corrupt(Path(path))
    assert not changed()
    if not listed:
        (list_of_many,) = Path("cache").rglob("*.dir")
        list_of_many.unlink()
    (corrupted,) = corrupted_outputs(STAGES)
    assert corrupted == (stage, Path(output), False)
    assert str(corrupted) == f"{output} (the working folder, written by {stage}) is corrupted"
    restore([corrupted])
    reproduce()
    assert Path(path).read_bytes() == content
    assert corrupted_outputs(STAGES) == []


@pytest.mark.parametrize(
    ("content", "stage"), [(bytes(range(256)), "one"), (b"2\n", "many"), (None, "many")]
)
def test_a_corrupted_file_in_the_cache_is_restored_from_the_output(
    content: bytes | None, stage: str
) -> None:
    cached = next(
        path
        for path in Path("cache/files").rglob("*")
        if path.is_file()
        and (path.suffix == ".dir" if content is None else content == path.read_bytes())
    )
    before = cached.read_bytes()
    corrupt(cached)
    (corrupted,) = corrupted_outputs(STAGES)
    assert (corrupted.stage, corrupted.cached) == (stage, True)
    assert corrupted.path.resolve() == cached.resolve()
    restore([corrupted])
    assert corrupted_outputs(STAGES) == []
    assert cached.read_bytes() == before


def test_an_output_missing_beside_its_corrupted_copy_is_made_again() -> None:
    Path("one.bin").unlink()
    (cached,) = (path for path in Path("cache/files").rglob("*") if path.name.startswith(MD5[2:]))
    corrupt(cached)
    restore(corrupted_outputs(STAGES))
    reproduce()
    assert Path("one.bin").read_bytes() == bytes(range(256))


def test_only_the_outputs_of_the_given_stages_are_read() -> None:
    corrupt(Path("one.bin"))
    assert corrupted_outputs(["many"]) == []
