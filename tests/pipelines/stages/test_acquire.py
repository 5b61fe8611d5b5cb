"""Stage `acquire`: data sets whose files are missing, optional, or the user's own."""

import logging
from pathlib import Path

import pytest

from pipelines.paths import RAW
from pipelines.stages.acquire import acquire, raw_folder, warn_of_links
from s3vae.data.clips import ClipFile
from s3vae.data.download import DownloadError
from s3vae.data.smmnist.smmnist import SMMNIST

DATA = Path(__file__).parents[3] / "s3vae" / "data"


@pytest.fixture
def _no_source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Leave MNIST an empty mirror and no official URL."""
    monkeypatch.setenv("S3VAE_MIRROR", str(tmp_path / "empty"))
    monkeypatch.setattr("s3vae.data.smmnist.mnist.ORIGINS", ())


@pytest.mark.usefixtures("_no_source")
def test_clips_are_written_without_files_that_are_optional(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = SMMNIST(digits="any", train=4, val=2, test=2)
    with caplog.at_level(logging.WARNING, logger="s3vae"):
        acquire("smmnist", settings, tmp_path / "clips.h5", tmp_path / "raw")
    assert "continues without an optional file" in caplog.text
    assert "5,000" in ClipFile(tmp_path / "clips.h5").source


@pytest.mark.usefixtures("_no_source")
def test_no_clips_are_written_without_files_that_are_required(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="mnist"):
        acquire("smmnist", SMMNIST(digits="mnist"), tmp_path / "clips.h5", tmp_path / "raw")
    assert not (tmp_path / "clips.h5").exists()


def test_downloads_go_to_the_folder_of_the_user_but_never_into_the_code(tmp_path: Path) -> None:
    assert raw_folder(tmp_path) == tmp_path
    (tmp_path / "one.mp4").touch()
    assert raw_folder(tmp_path / "one.mp4") == tmp_path / "one.mp4"
    for code in ("smmnist", "dsprites", "sprites.py"):
        assert (DATA / code).exists()
        assert raw_folder(DATA / code) == RAW


def test_linked_folders_are_named_with_the_command_that_renews_their_clips(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder, elsewhere = tmp_path / "mine", tmp_path / "elsewhere"
    for place in (folder / "own", elsewhere):
        place.mkdir(parents=True)
        (place / "a.mp4").touch()
    (tmp_path / "link").symlink_to(folder)  # DVC itself follows a link that is the folder
    warn_of_links("mine", tmp_path / "link")
    assert caplog.text == ""
    (folder / "own" / "linked").symlink_to(elsewhere)
    warn_of_links("mine", tmp_path / "link")
    assert f"dvc repro -f acquire@mine\n  - {Path('own', 'linked')}" in caplog.text
