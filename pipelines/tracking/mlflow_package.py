"""A trained model packed for MLflow: weights, code, requirements and signature, nothing pickled.

It knows the model's folder as files only, so that no stage depends on s3vae/model/ through it.
"""

import json
import shutil
import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from mlflow.entities import LoggedModelOutput
from mlflow.models import Model, ModelSignature
from mlflow.pyfunc import save_model
from mlflow.types import ColSpec, Schema, TensorSpec

from pipelines.tracking.provenance import ROOT

if TYPE_CHECKING:
    from mlflow import MlflowClient

NAME = "model"
SERVED = ROOT / "pipelines" / "tracking" / "pyfunc_model.py"
REQUIREMENTS = ("mlflow", "torch", "numpy", "safetensors", "jaxtyping", "pydantic")
FRAME_SIZE = 64


def log_model(client: "MlflowClient", experiment: str, run_id: str, folder: Path) -> None:
    """Put the model of a folder into the store as `model` of a run."""
    logged = client.create_logged_model(experiment, NAME, source_run_id=run_id)
    described = Model(
        artifact_path=logged.artifact_location, run_id=run_id, model_id=logged.model_id
    )
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary)
        pack(folder, path, described)
        client.log_model_artifacts(logged.model_id, str(path / NAME))
    client.finalize_logged_model(logged.model_id, "READY")
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])


def pack(folder: Path, path: Path, described: Model) -> None:
    """Write the MLflow model of a model's folder as `path/model`."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*input example was not provided", UserWarning)
        save_model(
            path / NAME,
            mlflow_model=described,
            python_model=str(SERVED),
            artifacts={NAME: str(folder)},
            code_paths=[str(copied_code(path))],
            signature=signature(json.loads((folder / "architecture.json").read_text())),
            pip_requirements=[f"{name}=={version(name).split('+')[0]}" for name in REQUIREMENTS],
        )


def copied_code(path: Path) -> Path:
    """A copy in `path` of what of s3vae/ the model needs: its room and floor 0."""
    package, copy = ROOT / "s3vae", path / "s3vae"
    no_bytecode = shutil.ignore_patterns("__pycache__")
    shutil.copytree(package / "model", copy / "model", ignore=no_bytecode)
    for floor_0 in package.glob("*.py"):
        shutil.copy(floor_0, copy)
    return copy


def signature(architecture: dict[str, Any]) -> ModelSignature:
    """Types and shapes of what `Served.predict` takes and gives; -1 is any size."""
    frames = (-1, -1, FRAME_SIZE, FRAME_SIZE, architecture["channels"])
    byte, real = np.dtype(np.uint8), np.dtype(np.float32)
    given: list[ColSpec | TensorSpec] = [
        TensorSpec(real, (-1, architecture["static"]), "static"),
        TensorSpec(real, (-1, -1, architecture["dynamic"]), "dynamic"),
        TensorSpec(byte, frames, "reconstruction"),
    ]
    return ModelSignature(Schema([TensorSpec(byte, frames)]), Schema(given))
