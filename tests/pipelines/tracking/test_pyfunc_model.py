"""The MLflow model: it needs its artifact alone, and gives the trained model's outputs."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from mlflow.entities import Run

from pipelines.paths import Layout
from pipelines.tracking.mlflow_run import tracked
from pipelines.tracking.provenance import StageRun
from s3vae.data.clips import ClipFile
from s3vae.model.saved import load_s3vae
from s3vae.tensors import to_bytes, to_unit

LOAD = """
import sys
import mlflow, numpy
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model(f"runs:/{sys.argv[2]}/model")
numpy.savez("codes.npz", **model.predict(numpy.load("clips.npy")))
import s3vae.model.s3vae
assert "/code/s3vae/" in s3vae.model.s3vae.__file__, "the code is not the model's own"
assert "pipelines" not in sys.modules, "the model needs the repository"
"""


@pytest.fixture
def run_id(training: StageRun, run_of: Callable[[str], Run]) -> str:
    """A run that has logged the model `tiny`."""
    with tracked(training, live=False) as tracker:
        tracker.model(Layout("toy").model("tiny"))
    assert tracker.failure is None
    return str(run_of("train").info.run_id)


def test_a_new_process_computes_the_codes_of_the_trained_model_without_a_pickle(
    repository: Path, run_id: str
) -> None:
    files = [path for path in (repository / "mlartifacts").rglob("*") if path.is_file()]
    kinds = {path.suffix for path in files if path.name != "MLmodel"}
    assert kinds == {".py", ".json", ".safetensors", ".txt", ".yaml"}
    clips = ClipFile(Layout("toy").clips).frames(range(3))
    fresh = repository / "fresh"
    fresh.mkdir()
    np.save(fresh / "clips.npy", clips)
    uri = f"sqlite:///{repository / 'mlflow.db'}"
    subprocess.run([sys.executable, "-c", LOAD, uri, run_id], check=True, cwd=fresh)
    served = np.load(fresh / "codes.npz")
    model = load_s3vae(Layout("toy").model("tiny"), torch.device("cpu"))
    with torch.no_grad():
        static, dynamic = (code.mean for code in model.encode(to_unit(torch.from_numpy(clips))))
        decoded = to_bytes(model.decode(static, dynamic))
    np.testing.assert_allclose(served["static"], static.numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(served["dynamic"], dynamic.numpy(), rtol=1e-5, atol=1e-6)
    assert np.abs(served["reconstruction"].astype(int) - decoded.numpy().astype(int)).max() <= 1


@pytest.mark.parametrize(
    ("saved", "shape"),
    [({"height": 96, "width": 48}, (96, 48)), ({}, (64, 64))],
    ids=["tall", "saved before there were other sizes"],
)
def test_the_signature_names_types_and_shapes_of_the_model_s_frames(
    saved: dict[str, int], shape: tuple[int, int]
) -> None:
    from pipelines.tracking.mlflow_package import signature  # MLflow warns when imported

    found = signature({"channels": 1, "static": 4, "dynamic": 3, **saved})
    (frames,) = found.inputs.inputs
    assert (frames.type, frames.shape) == (np.dtype(np.uint8), (-1, -1, *shape, 1))
    assert {spec.name: (spec.type, spec.shape) for spec in found.outputs.inputs} == {
        "static": (np.dtype(np.float32), (-1, 4)),
        "dynamic": (np.dtype(np.float32), (-1, -1, 3)),
        "reconstruction": (np.dtype(np.uint8), (-1, -1, *shape, 1)),
    }
