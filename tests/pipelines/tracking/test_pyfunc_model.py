"""The MLflow model: it needs its artifact alone, and gives the trained model's outputs."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
import torch
from mlflow import MlflowClient
from mlflow.entities import Run
from numpy import ndarray

from pipelines.paths import Layout
from pipelines.tracking.mlflow_run import tracked
from pipelines.tracking.provenance import StageRun
from s3vae.app.load import load
from s3vae.data.clips import ClipFile
from s3vae.model.adaptation import adapted
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE
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
    assert np.abs(served["video"].astype(int) - decoded.numpy().astype(int)).max() <= 1


@pytest.fixture
def model(repository: Path, run_id: str) -> Any:
    """The logged model as MLflow loads it."""
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{repository / 'mlflow.db'}")
    return mlflow.pyfunc.load_model(f"runs:/{run_id}/model")


def test_the_command_loads_a_model_of_the_registry(
    repository: Path, run_id: str, store: MlflowClient
) -> None:
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{repository / 'mlflow.db'}")
    (output,) = store.get_run(run_id).outputs.model_outputs
    store.create_registered_model("toy-tiny")
    source = f"models:/{output.model_id}"
    version = store.create_model_version("toy-tiny", source, run_id, model_id=output.model_id)
    store.set_registered_model_alias("toy-tiny", "champion", version.version)
    loaded = load("models:/toy-tiny@champion", "cpu").model
    trained = load_s3vae(Layout("toy").model("tiny"), torch.device("cpu"))
    assert loaded.architecture == trained.architecture
    for name, each in trained.state_dict().items():
        assert torch.equal(each, loaded.state_dict()[name]), name
    with pytest.raises(FileNotFoundError, match="MLflow has no model models:/none@champion"):
        load("models:/none@champion", "cpu")


def test_a_swap_has_the_appearance_of_the_first_half_and_the_motion_of_the_second(
    model: Any,
) -> None:
    clips = ClipFile(Layout("toy").clips).frames(range(4))
    codes, swapped = model.predict(clips), model.predict(clips, params={"action": "swap"})
    assert np.array_equal(swapped["static"], codes["static"][:2])
    assert np.array_equal(swapped["dynamic"], codes["dynamic"][2:])
    assert swapped["video"].shape == (2, *clips.shape[1:])
    with pytest.raises(ValueError, match="pairs of clips, not 3"):
        model.predict(clips[:3], params={"action": "swap"})


def test_a_swap_adapts_to_each_appearance(tiny: Architecture) -> None:
    from mlflow.pyfunc.model import PythonModelContext  # MLflow warns when imported

    from pipelines.tracking.pyfunc_model import Served

    served, context = Served(), PythonModelContext({}, {})
    torch.manual_seed(0)
    served.device = torch.device("cpu")
    served.model = S3VAE(replace(tiny, decoder="warped")).eval()
    clips = np.random.default_rng(0).integers(256, size=(4, 4, 64, 64, 3), dtype=np.uint8)
    clips = clips[..., ::-1]  # not contiguous
    swapped = served.predict(context, clips, {"action": "swap", "adapt": 3})["video"]
    frames = torch.from_numpy(clips.copy())
    with torch.no_grad():
        static, dynamic = (each.mean for each in served.model.encode(to_unit(frames)))
    for k, video in enumerate(swapped):
        model = adapted(served.model, [(frames[k], static[k], dynamic[k])], range(3))
        with torch.no_grad():
            alone = to_bytes(model.decode(static[k][None], dynamic[2 + k][None]))[0]
        assert np.abs(video.astype(int) - alone.numpy()).max() <= 1
    with pytest.raises(ValueError, match="name 0 to"):
        served.predict(context, clips, {"action": "swap", "adapt": -1})


def test_codes_given_as_parameters_are_decoded(model: Any) -> None:
    clips = ClipFile(Layout("toy").clips).frames(range(2))
    codes = model.predict(clips)
    given = {name: codes[name].flatten().tolist() for name in ("static", "dynamic")}
    decoded = model.predict(clips[:0], params={"action": "decode", "number": 2, **given})
    assert np.abs(decoded["video"].astype(int) - codes["video"]).max() <= 1
    with pytest.raises(ValueError, match="flat lists of 3 x"):
        model.predict(clips[:0], params={"action": "decode", "number": 3, **given})


def test_equal_seeds_generate_equal_clips(model: Any) -> None:
    none = ClipFile(Layout("toy").clips).frames([])
    wanted = {"action": "generate", "number": 3, "time": 5, "seed": 7}
    first, second = (model.predict(none, params=wanted)["video"] for _ in range(2))
    assert first.shape == (3, 5, *none.shape[2:])
    assert np.array_equal(first, second)


def test_an_unknown_action_is_refused(model: Any) -> None:
    none = ClipFile(Layout("toy").clips).frames([])
    with pytest.raises(ValueError, match="unknown action 'dance': choose one of encode"):
        model.predict(none, params={"action": "dance"})


@pytest.mark.slow
def test_the_served_model_encodes_swaps_decodes_and_generates(
    repository: Path, run_id: str, free_port: Callable[[], int], answers: Callable[[str], bool]
) -> None:
    port = free_port()
    clips = ClipFile(Layout("toy").clips).frames(range(2))
    uri = f"sqlite:///{repository / 'mlflow.db'}"
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--env-manager", "local"]
    command += ["--model-uri", f"runs:/{run_id}/model", "--port", str(port)]
    server = subprocess.Popen(command, env={**os.environ, "MLFLOW_TRACKING_URI": uri})
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(60):
            if answers(f"{address}/ping"):
                break
            time.sleep(1)

        def asked(**params: Any) -> dict[str, ndarray]:
            body = {"inputs": clips.tolist(), "params": params}
            answer = requests.post(f"{address}/invocations", json=body, timeout=60)
            assert answer.ok, answer.text
            return {name: np.array(each) for name, each in answer.json()["predictions"].items()}

        codes = asked(action="encode")
        assert asked(action="swap")["video"].shape == (1, *clips.shape[1:])
        given = {name: codes[name].flatten().tolist() for name in ("static", "dynamic")}
        decoded = asked(action="decode", number=2, **given)["video"]
        assert np.abs(decoded.astype(int) - codes["video"].astype(int)).max() <= 1
        assert asked(action="generate", number=3, time=5)["video"].shape[:2] == (3, 5)
    finally:
        server.terminate()
        server.wait()


def test_the_signature_names_types_and_shapes_of_the_model_s_frames() -> None:
    from pipelines.tracking.mlflow_package import signature  # MLflow warns when imported

    sizes = {"height": 96, "width": 48, "channels": 1, "static": 4, "dynamic": 3}
    found = signature(sizes)
    (frames,) = found.inputs.inputs
    assert (frames.type, frames.shape) == (np.dtype(np.uint8), (-1, -1, 96, 48, 1))
    assert {spec.name: (spec.type, spec.shape) for spec in found.outputs.inputs} == {
        "static": (np.dtype(np.float32), (-1, 4)),
        "dynamic": (np.dtype(np.float32), (-1, -1, 3)),
        "video": (np.dtype(np.uint8), (-1, -1, 96, 48, 1)),
    }
