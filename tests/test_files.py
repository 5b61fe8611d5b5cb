"""A file, or a folder, is either whole or not there."""

import hashlib
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
