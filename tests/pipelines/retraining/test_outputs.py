"""Outputs that no longer hold what was written, in a repository of DVC's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.retraining.outputs import remove, spoilt_outputs

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


def dvc(*command: str) -> str:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(["dvc", *command], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_NO_ANALYTICS", "true")
    dvc("init", "--no-scm", "--quiet")
    dvc("cache", "dir", "cache")  # whatever this machine's is
    Path("dvc.yaml").write_text(DAG)
    dvc("repro", "--quiet")
    return tmp_path


def spoil(path: Path) -> None:
    """Other bytes, but the size and time by which DVC knows that a file has not changed."""
    known, content = path.stat(), path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    os.utime(path, ns=(known.st_atime_ns, known.st_mtime_ns))


def test_what_holds_what_was_written_is_not_found(repository: Path) -> None:
    assert spoilt_outputs(Path(), STAGES) == []


def test_a_missing_output_is_dvcs_to_see(repository: Path) -> None:
    Path("one.bin").unlink()
    assert spoilt_outputs(Path(), STAGES) == []


@pytest.mark.parametrize(
    ("path", "stage"), [("one.bin", "one"), ("many/1", "many"), ("noted.json", "noted")]
)
def test_a_spoilt_file_is_found_named_and_made_good(
    path: str, stage: str, repository: Path
) -> None:
    good = Path(path).read_bytes()
    spoil(Path(path))
    assert path not in dvc("status")  # so it goes unseen
    (found,) = spoilt_outputs(Path(), STAGES)
    assert (found.stage, found.path, found.cached) == (stage, Path(path), False)
    assert f"{path} (the working folder, left by {stage})" in str(found)
    remove(found)
    dvc("repro", "--quiet")
    assert Path(path).read_bytes() == good
    assert spoilt_outputs(Path(), STAGES) == []


def test_a_spoilt_copy_in_the_cache_is_found_and_made_good_from_the_file(
    repository: Path,
) -> None:
    (entry,) = (path for path in Path("cache").rglob("*") if path.stat().st_size == 256)
    spoil(entry)
    (found,) = spoilt_outputs(Path(), STAGES)
    assert (found.stage, found.path.resolve(), found.cached) == ("one", entry.resolve(), True)
    remove(found)
    dvc("commit", "--force", "--quiet", "one")
    assert spoilt_outputs(Path(), STAGES) == []
    assert entry.read_bytes() == bytes(range(256))


def test_a_spoilt_list_of_a_folder_is_found_and_made_good_from_the_folder(
    repository: Path,
) -> None:
    (entry,) = Path("cache").rglob("*.dir")
    good = entry.read_bytes()
    spoil(entry)
    (found,) = spoilt_outputs(Path(), STAGES)
    assert (found.stage, found.path.resolve(), found.cached) == ("many", entry.resolve(), True)
    remove(found)
    assert spoilt_outputs(Path(), STAGES) == []
    dvc("commit", "--force", "--quiet", "many")
    assert entry.read_bytes() == good


def test_without_its_list_a_folder_is_whole_or_not(repository: Path) -> None:
    (entry,) = Path("cache").rglob("*.dir")
    entry.unlink()
    assert spoilt_outputs(Path(), STAGES) == []
    spoil(Path("many/2"))
    (found,) = spoilt_outputs(Path(), STAGES)
    assert (found.stage, found.path, found.cached) == ("many", Path("many"), False)
    remove(found)
    dvc("repro", "--quiet")
    assert sorted(path.name for path in Path("many").iterdir()) == ["1", "2", "3"]


def test_stages_that_nobody_asks_for_are_not_read(repository: Path) -> None:
    spoil(Path("one.bin"))
    assert spoilt_outputs(Path(), ["many"]) == []
