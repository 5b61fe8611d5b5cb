"""A model written for onnxruntime has all that a program without PyTorch needs."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy import ndarray

from s3vae.app.command import execute
from s3vae.app.load import load
from s3vae.export import onnx_files
from s3vae.model.s3vae import S3VAE

onnxruntime = pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def exported(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("exported") / "tiny"
    assert execute(["export", str(folder), "-o", str(output)]) == 0
    return output


def test_the_folder_has_the_networks_and_the_codes(exported: Path) -> None:
    names = {path.name for path in exported.iterdir()}
    assert names == {"encode.onnx", "decode.onnx", "prior_step.onnx", "codes.json"}
    codes = json.loads((exported / "codes.json").read_text())
    assert codes["clips"]["stride"] == 2
    assert codes["static_prior"] is None
    assert np.shape(codes["dynamic_prior"]["starts"]) == (1, 3)


def test_a_clip_moved_along_a_direction_is_that_of_the_library(
    exported: Path, folder: Path, clip: ndarray
) -> None:
    codes = json.loads((exported / "codes.json").read_text())
    encode, decode = (
        onnxruntime.InferenceSession(exported / f"{name}.onnx") for name in ("encode", "decode")
    )
    static, dynamic = encode.run(None, {"video": clip[None]})
    moved = static + 2 * np.float32(codes["directions"]["static"][0])
    (video,) = decode.run(None, {"static": moved, "dynamic": dynamic})
    ours = load(folder, "cpu").traverse(clip, "static", directions=1, steps=3)[0, 2]
    assert np.abs(video[0].astype(int) - ours).max() <= 1


def test_a_folder_is_replaced_only_if_forced(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def export_onnx(model: S3VAE, files: Path) -> None:
        files.mkdir()
        (files / "encode.onnx").write_text("new")

    monkeypatch.setattr(onnx_files, "export_onnx", export_onnx)
    output = tmp_path / "tiny"
    output.mkdir()
    (output / "encode.onnx").write_text("old")
    assert execute(["export", str(folder), "-o", str(output)]) == 2
    assert "--force" in capsys.readouterr().err
    assert (output / "encode.onnx").read_text() == "old"
    assert execute(["export", str(folder), "-o", str(output), "--force"]) == 0
    assert (output / "encode.onnx").read_text() == "new"


def test_a_folder_of_other_files_is_never_replaced(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    assert execute(["export", str(folder), "-o", str(tmp_path), "--force"]) == 2
    assert "something other than an export" in capsys.readouterr().err
    assert (tmp_path / "thesis.txt").read_text() == "mine"
