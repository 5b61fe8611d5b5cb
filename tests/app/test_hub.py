"""Models of a hub, which is here a folder."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from s3vae.app import hub
from s3vae.app.command import execute
from s3vae.app.config import read_config
from s3vae.app.load import load
from s3vae.baselines.saved import save_model
from s3vae.data.preparation import Preparation
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE

huggingface_hub = pytest.importorskip("huggingface_hub")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for the hub."""

    def upload(repo_id: str, folder_path: Path) -> str:
        shutil.copytree(folder_path, tmp_path / repo_id)
        return f"address of {repo_id}"

    def download(repo_id: str, **_: Any) -> str:
        if not (tmp_path / repo_id).exists():
            raise OSError("no route to host")
        return str(tmp_path / repo_id)

    monkeypatch.setattr(huggingface_hub, "create_repo", lambda name, exist_ok: None)
    monkeypatch.setattr(huggingface_hub, "upload_folder", upload)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    return tmp_path


def test_a_model_of_a_pipeline_is_pushed_as_a_shared_one_and_loaded_again(
    store: Path, tiny: Architecture, tmp_path: Path
) -> None:
    save_model(S3VAE(tiny), tmp_path / "mine", preparation=Preparation(time=9))
    assert execute(["push", str(tmp_path / "mine"), "owner/model"]) == 0
    assert read_config(store / "owner" / "model")["clips"]["time"] == 9
    assert "--model owner/model" in (store / "owner" / "model" / "README.md").read_text()
    assert load("owner/model", "cpu").preparation == Preparation(time=9)


def test_a_shared_model_is_pushed_as_it_is(store: Path, folder: Path) -> None:
    assert hub.upload(folder, "owner/tiny") == "address of owner/tiny"
    for path in folder.iterdir():
        assert (store / "owner" / "tiny" / path.name).read_bytes() == path.read_bytes()


def test_a_hub_that_cannot_be_reached_is_reported_in_one_line(
    store: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ["generate", "-o", str(tmp_path / "a.mp4"), "--model", "owner/none"]
    assert execute(words) == 2
    assert "owner/none cannot be downloaded from the hub" in capsys.readouterr().err


def test_an_upload_that_cannot_reach_the_hub_is_reported_in_one_line(
    store: Path, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = huggingface_hub.HfApi(endpoint="http://127.0.0.1:9").create_repo
    monkeypatch.setattr(huggingface_hub, "create_repo", refused)
    assert execute(["push", str(folder), "owner/model"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (store / "owner").exists()
