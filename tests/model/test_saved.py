"""A model on disk."""

import json
from pathlib import Path

import pytest
import torch

from s3vae.baselines.saved import load_model, save_model
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE

CPU = torch.device("cpu")


@pytest.fixture
def model(tiny: Architecture) -> S3VAE:
    """A model whose batch statistics differ from those of a new one."""
    torch.manual_seed(0)
    model = S3VAE(tiny)
    static, dynamic = model.encode(torch.rand(2, 3, 3, 64, 64))
    model.decode(static.mean, dynamic.mean)
    return model


def test_a_loaded_model_is_the_saved_one_in_eval_mode(model: S3VAE, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    save_model(model, first)
    loaded = load_model(first, CPU)
    save_model(loaded, second)
    for name in ("architecture.json", "weights.safetensors"):
        assert (first / name).read_bytes() == (second / name).read_bytes()
    assert not any(module.training for module in loaded.modules())
    assert loaded.architecture == model.architecture
    video, model = torch.rand(2, 3, 3, 64, 64), model.eval()
    for saved, again in zip(model.encode(video), loaded.encode(video), strict=True):
        assert torch.equal(saved.mean, again.mean)
        assert torch.equal(saved.std, again.std)
    codes = torch.randn(2, 4), torch.randn(2, 3, 3)
    assert torch.equal(model.decode(*codes), loaded.decode(*codes))


def test_a_folder_without_a_model_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"architecture\.json .*dvc repro.*dvc pull"):
        load_model(tmp_path, CPU)


def test_a_saved_architecture_with_an_unknown_part_is_refused_by_its_name(
    model: S3VAE, tmp_path: Path
) -> None:
    save_model(model, tmp_path)
    path = tmp_path / "architecture.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"colour": 3}))
    with pytest.raises(ValueError, match="colour"):
        load_model(tmp_path, CPU)
