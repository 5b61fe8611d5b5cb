"""Stage `acquire`: data sets whose files are there, missing, or may be missing."""

import logging
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No source has anything: an empty mirror, and no official URL."""
    monkeypatch.setenv("S3VAE_MIRROR", str(tmp_path / "empty"))
    monkeypatch.setattr("s3vae.data.mnist.ORIGINS", ())


def test_a_data_set_goes_without_files_that_are_optional(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from pipelines.stages.acquire import acquire
    from s3vae.data.clips import ClipFile
    from s3vae.data.smmnist import SMMNIST

    settings = SMMNIST(digits="any", train=4, val=2, test=2)
    with caplog.at_level(logging.WARNING, logger="s3vae"):
        acquire("smmnist", settings, tmp_path / "clips.h5", tmp_path / "raw")
    assert "goes without it" in caplog.text
    assert "5,000" in ClipFile(tmp_path / "clips.h5").source


def test_files_that_are_needed_and_missing_stop_it(tmp_path: Path) -> None:
    from pipelines.stages.acquire import acquire
    from s3vae.data.download import DownloadError
    from s3vae.data.smmnist import SMMNIST

    with pytest.raises(DownloadError, match="mnist"):
        acquire("smmnist", SMMNIST(digits="mnist"), tmp_path / "clips.h5", tmp_path / "raw")
    assert not (tmp_path / "clips.h5").exists()
