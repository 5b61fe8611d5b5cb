"""A model as one folder to share."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy import ndarray

from s3vae.app.config import PackageError, zoo_names
from s3vae.app.load import find_model, load
from s3vae.app.model import VideoModel
from s3vae.app.package import Package, read_package, write_package
from s3vae.baselines.saved import save_model
from s3vae.data.preparation import Preparation
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE
from s3vae.model.static_prior import fit_static_prior

CPU = torch.device("cpu")


def test_a_shared_model_decodes_as_the_one_that_was_written(
    tiny: Architecture, tmp_path: Path
) -> None:
    model, made = S3VAE(tiny).eval(), Preparation("squares", 5, 3, "none", 12.5)
    codes = np.random.default_rng(0).normal(size=(40, tiny.static)).astype(np.float32)
    model.static_prior = fit_static_prior(codes)
    write_package(tmp_path / "model", Package(model, made, {"a": 1}), "card", half=False)
    again = read_package(tmp_path / "model", CPU)
    assert (again.preparation, again.facts) == (made, {"a": 1})
    for name, each in model.state_dict().items():
        assert torch.equal(again.model.state_dict()[name], each), name
    assert again.model.static_prior is not None


def test_half_precision_halves_the_file_and_is_read_as_single(
    tiny: Architecture, tmp_path: Path
) -> None:
    package = Package(S3VAE(tiny).eval(), Preparation())
    for half in (False, True):
        write_package(tmp_path / str(half), package, "", half=half)
    sizes = [(tmp_path / str(half) / "model.safetensors").stat().st_size for half in (True, False)]
    assert sizes[0] < 0.7 * sizes[1]
    read = read_package(tmp_path / "True", CPU).model
    assert {each.dtype for each in read.parameters()} == {torch.float32}


def test_a_model_from_a_pipeline_is_read_with_the_cut_of_its_clips(
    tiny: Architecture, tmp_path: Path
) -> None:
    save_model(S3VAE(tiny), tmp_path / "model", preparation=Preparation(time=9, crop="face"))
    assert read_package(tmp_path / "model", CPU).preparation == Preparation(time=9, crop="face")


def test_damaged_weights_are_refused(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    with (copy / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"x")
    with pytest.raises(PackageError, match=r"model\.safetensors is missing or damaged"):
        load(copy)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "format 2.*reads up to 1"),
        ({"architecture": {"x": 1}}, "no model of this version"),
        ({"architecture": dataclasses.asdict(Architecture())}, "no model of this version"),
    ],
)
def test_a_model_of_later_code_or_other_sizes_is_refused(
    change: dict[str, object], message: str, folder: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    config = json.loads((copy / "config.json").read_text()) | change
    (copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(PackageError, match=message):
        load(copy)


def test_settings_that_lack_a_part_are_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"format": 1, "facts": {}}')
    with pytest.raises(PackageError, match="has no architecture, clips, sha256"):
        load(tmp_path)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="holds no model"):
        load(tmp_path)


@pytest.mark.parametrize("name", ["spritez", "models/typo", "tests/nothing"])
def test_a_mistyped_name_is_no_call_to_the_network(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("models", "tests"):
        (tmp_path / folder).mkdir()
    with pytest.raises(FileNotFoundError, match=f"no model '{name}'.*sprites"):
        find_model(name)


@pytest.mark.parametrize("name", zoo_names())
def test_every_model_of_the_zoo_works(noise: Callable[..., ndarray], name: str) -> None:
    model: VideoModel = load(name, "cpu")
    height, width = model.size
    clip = noise(model.preparation.time, height, width, model.channels)
    assert model.swap(clip, clip).shape == clip.shape
    assert model.model.static_prior is not None
    assert model.preparation.error_per_pixel is not None


def test_the_zoo_stays_small() -> None:
    zoo = find_model(zoo_names()[0]).parent
    assert sum(path.stat().st_size for path in zoo.rglob("*")) < 20e6
