"""A file, or a folder, is either whole or not there."""

import hashlib
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from s3vae.files import checksum_of, replacing


def test_the_new_file_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "note.txt"
    for text in ("old", "new"):
        with replacing(path) as aside:
            aside.write_text(text)
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_the_old_file_is_there_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_text("old")
    with replacing(path) as aside:
        aside.write_text("half of the n")
        assert path.read_text() == "old"


def test_a_failed_block_changes_nothing_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_text("old")

    def interrupted() -> None:
        with replacing(path) as aside:
            aside.write_text("half of the n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
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


def test_what_a_killed_process_left_is_removed_but_nothing_of_a_living_one(tmp_path: Path) -> None:
    path, other = tmp_path / "note.txt", tmp_path / ".note.txt.mine"
    other.write_text("named alike by chance")
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


def test_a_folder_that_made_way_when_its_writer_was_killed_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.mkdir()
    (path / "weights").touch()
    killed = subprocess.run([sys.executable, "-c", KILLED_BETWEEN, path], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not path.exists()
    with pytest.raises(FileNotFoundError), replacing(path):
        pass
    assert [each.name for each in path.iterdir()] == ["weights"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_comes_back_if_the_new_one_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model"
    path.mkdir()

    def refused(*_: Path) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "replace", refused)
    with pytest.raises(PermissionError), replacing(path) as aside:
        aside.mkdir()
    assert list(tmp_path.iterdir()) == [path]


def test_the_name_aside_is_the_name_of_the_file(tmp_path: Path) -> None:
    with replacing(tmp_path / "weights.safetensors") as aside:
        assert aside.name == "weights.safetensors"
        aside.touch()


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "model"
    for name in ("old", "new"):
        with replacing(path) as aside:
            aside.mkdir()
            (aside / name).touch()
    assert [each.name for each in path.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_block_that_writes_nothing_does_not_cost_the_old_folder(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.mkdir()
    (path / "weights").touch()
    with pytest.raises(FileNotFoundError), replacing(path):
        pass
    assert (path / "weights").exists()


def test_sha256_is_that_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "bytes"
    path.write_bytes(b"abc" * 100_000)
    assert checksum_of(path) == hashlib.sha256(b"abc" * 100_000).hexdigest()
