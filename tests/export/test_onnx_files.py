"""Models as ONNX files. A file that disagrees with PyTorch at other shapes is refused by itself."""

import importlib.util
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from s3vae.export import agreement
from s3vae.export.graphs import Graph, graphs, sizes_of
from s3vae.export.onnx_files import export_onnx, write_graph
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE

FILES = ["decode.onnx", "encode.onnx", "prior_step.onnx"]
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "swap_with_onnxruntime.py"


def slow(case: str) -> Any:
    """Return a case of a test that `make slow` runs."""
    return pytest.param(case, marks=pytest.mark.slow)


def model(sizes: Architecture, **changes: Any) -> S3VAE:
    """A model whose batch statistics differ from those of a new one."""
    torch.manual_seed(0)
    model = S3VAE(replace(sizes, **changes))
    with torch.no_grad():
        static, dynamic = model.encode(torch.rand(2, 3, 3, 64, 64))
        model.decode(static.mean, dynamic.mean)
    return model


def write(model: S3VAE, name: str, folder: Path) -> bytes:
    """Write one of the files alone, and return its bytes."""
    write_graph(graphs(model)[Path(name).stem], sizes_of(model.architecture), folder / name)
    return (folder / name).read_bytes()


@pytest.fixture(scope="module")
def folder(tiny: Architecture, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All files of one model."""
    folder = tmp_path_factory.mktemp("onnx") / "model"
    export_onnx(model(tiny), folder)
    return folder


def test_a_folder_holds_three_files_whose_axes_have_names(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == FILES
    decode = onnx.load(folder / "decode.onnx").graph
    shapes = {
        value.name: [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*decode.input, *decode.output)
    }
    assert shapes == {
        "static": ["batch", 4],
        "dynamic": ["batch", "time", 3],
        "video": ["batch", "time", 64, 64, 3],
    }


def test_the_files_hold_no_local_paths(folder: Path) -> None:
    for path in folder.iterdir():
        content = path.read_bytes()
        for place in (sys.prefix, str(Path.home()), str(EXAMPLE.parents[2]), "site-packages"):
            assert place.encode() not in content
        assert b".py" not in content


@pytest.mark.parametrize("name", [slow("decode.onnx"), slow("encode.onnx"), "prior_step.onnx"])
def test_the_same_weights_give_the_same_bytes(
    name: str, tiny: Architecture, folder: Path, tmp_path: Path
) -> None:
    assert write(model(tiny), name, tmp_path) == (folder / name).read_bytes()


@pytest.mark.parametrize(
    "decoder", ["layered", *map(slow, ("transposed", "broadcast", "warped", "sprites"))]
)
def test_every_decoder_is_exported(decoder: Any, tiny: Architecture, tmp_path: Path) -> None:
    assert write(model(tiny, decoder=decoder, dynamic=4), "decode.onnx", tmp_path)


def test_a_posterior_of_past_and_future_is_exported_with_the_same_bytes(
    tiny: Architecture, tmp_path: Path
) -> None:
    both = model(tiny, causal=False, static_input="windows", dynamic_input="deviations")
    assert write(both, "encode.onnx", tmp_path) == write(both, "encode.onnx", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"encoder": "strided"},
        {"static_posterior": "bilstm"},
        {"framewise": True},
        {"causal": False, "given_static": True},
        {"static_input": "windows"},
        {"dynamic_input": "deviations"},
        {"static_input": "windows", "dynamic_input": "deviations"},
        {"channels": 1, "height": 32, "width": 48, "normalized": False},
    ],
)
def test_every_encoder_is_exported(
    changes: dict[str, Any], tiny: Architecture, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    assert write(S3VAE(replace(tiny, **changes)), "encode.onnx", tmp_path)


def test_the_encoder_of_two_objects_is_refused_and_nothing_is_written(
    tiny: Architecture, tmp_path: Path
) -> None:
    objects = S3VAE(replace(tiny, encoder="objects", dynamic=4))
    with pytest.raises(ValueError, match=r"`encoder: objects` cannot be exported.* eigenvectors"):
        export_onnx(objects, tmp_path / "onnx")
    assert not list(tmp_path.iterdir())


def test_a_file_that_differs_from_pytorch_is_refused_and_the_folder_left_as_it_was(
    tiny: Architecture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = agreement.reference
    monkeypatch.setattr(
        agreement, "reference", lambda *inputs: [x + 2e-4 for x in computed(*inputs)]
    )
    (tmp_path / "onnx").mkdir()
    (tmp_path / "onnx" / "before").touch()
    with pytest.raises(ValueError, match=r"encode\.onnx at 1 clips of 1 frames differs .*0\.0002"):
        export_onnx(model(tiny, causal=False), tmp_path / "onnx")
    assert [path.name for path in tmp_path.rglob("*")] == ["onnx", "before"]


def test_a_decoder_that_differs_by_less_than_a_grey_level_is_refused(
    tiny: Architecture, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode, sizes = graphs(model(tiny).eval())["decode"], sizes_of(tiny)
    agreement.check(decode, sizes, folder / "decode.onnx")
    computed = agreement.reference_unrounded
    monkeypatch.setattr(
        agreement, "reference_unrounded", lambda *inputs: [x + 0.1 for x in computed(*inputs)]
    )
    with pytest.raises(ValueError, match=r"decode\.onnx .* differs from PyTorch by 0\.1"):
        agreement.check(decode, sizes, folder / "decode.onnx")


class Branching(nn.Module):
    """A graph that tracing gets wrong: it depends on the number of clips of the example."""

    def forward(self, before: Tensor) -> Tensor:
        return before * 2 if before.shape[0] == 3 else before * 1


def test_a_graph_that_is_right_at_the_shape_of_its_export_alone_is_refused(tmp_path: Path) -> None:
    graph = Graph(Branching(), ("before",), ("mean",), dynamo=False)
    with pytest.raises(ValueError, match=r"wrong\.onnx at 1 clips .* differs from PyTorch"):
        write_graph(graph, {"dynamic": 3}, tmp_path / "wrong.onnx")


def test_missing_packages_are_named_with_the_remedy(
    tiny: Architecture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"onnx, onnxscript, onnxruntime: .*s3vae\[export\]"):
        export_onnx(S3VAE(tiny), tmp_path / "onnx")


def test_the_example_swaps_two_clips_without_pytorch(folder: Path, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    for name, time in (("first.npy", 4), ("second.npy", 6)):
        np.save(tmp_path / name, generator.integers(0, 256, (time, 64, 64, 3), np.uint8))
    arguments = [str(folder), "first.npy", "second.npy", "swap.gif"]
    code = (
        "import runpy, sys; "
        f"runpy.run_path({str(EXAMPLE)!r}, run_name='__main__'); print('torch' in sys.modules)"
    )
    command = [sys.executable, "-c", code, *arguments]
    answer = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert answer.stdout.split() == ["False"]
    with Image.open(tmp_path / "swap.gif") as gif:
        assert (gif.n_frames, gif.size) == (4, (128, 128))
