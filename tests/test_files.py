"""A file, or a folder, is either whole or not there."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from s3vae.files import replacing


def make_folder(path: Path, *names: str) -> Path:
    path.mkdir()
    for name in names:
        (path / name).touch()
    return path


@pytest.mark.parametrize("name", ["note.txt", "weights.safetensors"])
def test_a_new_file_replaces_the_old_one_when_it_is_complete(name: str, tmp_path: Path) -> None:
    path = tmp_path / "deep" / name
    for old, new in ((None, "old"), ("old", "new")):
        with replacing(path) as aside:
            assert aside.name == name
            aside.write_text(new)
            assert old is None or path.read_text() == old
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_a_file_has_the_usual_permissions_or_those_of_the_one_that_it_replaces(
    tmp_path: Path,
) -> None:
    path, folder, before = tmp_path / "note.txt", tmp_path / "model", os.umask(0o027)
    try:
        for file, outer in ((0o640, 0o750), (0o600, 0o700)):
            with replacing(path) as aside:
                aside.touch(0o400)
            with replacing(folder) as aside:
                aside.mkdir()
                (aside / "weights").touch(0o400)
            assert path.stat().st_mode & 0o777 == file
            assert folder.stat().st_mode & 0o777 == outer
            assert (folder / "weights").stat().st_mode & 0o777 == 0o640
            path.chmod(0o600)
            folder.chmod(0o700)
    finally:
        os.umask(before)


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "model"
    for name in ("old", "new"):
        with replacing(path) as aside:
            make_folder(aside, name)
    assert [each.name for each in path.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [KeyboardInterrupt, None])
def test_a_block_that_fails_or_writes_nothing_keeps_the_old_folder(
    error: type[BaseException] | None, tmp_path: Path
) -> None:
    path = make_folder(tmp_path / "model", "weights")

    def interrupted() -> None:
        with replacing(path) as aside:
            if error:
                make_folder(aside, "half")
                raise error

    with pytest.raises(error or FileNotFoundError):
        interrupted()
    assert [each.name for each in path.iterdir()] == ["weights"]
    assert list(tmp_path.iterdir()) == [path]


WRITER = """
import sys, time
from pathlib import Path
from s3vae.files import replacing
with replacing(Path(sys.argv[1])) as aside:
    aside.write_text("half of the n")
    print(flush=True)
    time.sleep(60)
"""


def test_files_of_killed_processes_are_removed_but_none_of_running_ones(tmp_path: Path) -> None:
    path, other = tmp_path / "note.txt", tmp_path / ".note.txt.mine"
    other.write_text("a similar name by chance")
    with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        with replacing(path) as aside:
            aside.write_text("new")
        assert len(list(tmp_path.glob(".note.txt.*/note.txt"))) == 1
        writer.kill()
    assert writer.returncode == -signal.SIGKILL
    assert len(list(tmp_path.glob(".note.txt.*/note.txt"))) == 1
    with replacing(path) as aside:
        aside.write_text("newer")
    assert sorted(tmp_path.iterdir()) == [other, path]


KILLED_BETWEEN = """
import os, signal, sys
from pathlib import Path
from s3vae import files
path = Path(sys.argv[1])
files.Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
with files.replacing(path) as aside:
    aside.mkdir()
"""


def test_a_folder_is_restored_if_its_writer_was_killed_while_replacing_it(tmp_path: Path) -> None:
    path = make_folder(tmp_path / "model", "weights")
    killed = subprocess.run([sys.executable, "-c", KILLED_BETWEEN, path], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not path.exists()
    with pytest.raises(FileNotFoundError), replacing(path):
        pass
    assert [each.name for each in path.iterdir()] == ["weights"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_restored_if_the_new_one_cannot_be_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_folder(tmp_path / "model")

    def refused(*_: Path) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "replace", refused)
    with pytest.raises(PermissionError), replacing(path) as aside:
        aside.mkdir()
    assert list(tmp_path.iterdir()) == [path]
