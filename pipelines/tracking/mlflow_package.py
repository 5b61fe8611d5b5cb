"""A trained model as an MLflow model: weights, code, requirements and signature, nothing pickled.

The model's folder is read as files only, so no stage depends on s3vae/model/ through this module.
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
from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec

from pipelines.tracking.provenance import ROOT

if TYPE_CHECKING:
    from mlflow import MlflowClient

NAME = "model"
DRAWN_FRAMES = 16
"""The default length of generated clips."""
LOADER = ROOT / "pipelines" / "tracking" / "pyfunc_model.py"
REQUIREMENTS = (
    *("mlflow", "torch", "numpy", "safetensors", "jaxtyping", "pydantic"),
    *("h5py", "tqdm"),  # of modules of s3vae/ that come along
)


def log_model(client: "MlflowClient", experiment: str, run_id: str, folder: Path) -> None:
    """Log the model in a folder as `model` of a run.

    MLflow's own `log_model` links the run before the upload: a run whose upload failed would seem
    complete to `make publish`.
    """
    logged = client.create_logged_model(experiment, NAME, source_run_id=run_id)
    model = Model(artifact_path=logged.artifact_location, run_id=run_id, model_id=logged.model_id)
    with tempfile.TemporaryDirectory() as temporary, warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*input example was not provided", UserWarning)
        path = Path(temporary)
        save_model(
            path / NAME,
            mlflow_model=model,
            python_model=str(LOADER),
            artifacts={NAME: str(folder)},
            code_paths=[str(copy_code(path))],
            signature=signature(json.loads((folder / "architecture.json").read_text())),
            pip_requirements=[f"{name}=={version(name).split('+')[0]}" for name in REQUIREMENTS],
        )
        client.log_model_artifacts(logged.model_id, str(path / NAME))
    client.finalize_logged_model(logged.model_id, "READY")
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])


def copy_code(path: Path) -> Path:
    """Copy the part of s3vae/ that the model needs: its package and the lowest layer."""
    package, copy = ROOT / "s3vae", path / "s3vae"
    no_bytecode = shutil.ignore_patterns("__pycache__")
    shutil.copytree(package / "model", copy / "model", ignore=no_bytecode)
    for module in package.glob("*.py"):
        shutil.copy(module, copy)
    return copy


def signature(architecture: dict[str, Any]) -> ModelSignature:
    """Return types and shapes of inputs, outputs and parameters of the model; -1 is any size."""
    frames = (-1, -1, *(architecture[name] for name in ("height", "width", "channels")))
    byte, real = np.dtype(np.uint8), np.dtype(np.float32)
    outputs: list[ColSpec | TensorSpec] = [
        TensorSpec(real, (-1, architecture["static"]), "static"),
        TensorSpec(real, (-1, -1, architecture["dynamic"]), "dynamic"),
        TensorSpec(byte, frames, "video"),
    ]
    choices = ParamSchema(
        [
            ParamSpec("action", "string", "encode"),
            ParamSpec("number", "long", 1),
            ParamSpec("time", "long", DRAWN_FRAMES),
            ParamSpec("seed", "long", 0),
            ParamSpec("adapt", "long", 0),
            ParamSpec("static", "double", [], shape=(-1,)),
            ParamSpec("dynamic", "double", [], shape=(-1,)),
        ]
    )
    return ModelSignature(Schema([TensorSpec(byte, frames)]), Schema(outputs), choices)
