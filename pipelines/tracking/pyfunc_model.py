"""The trained model as MLflow loads it: from the bytes of clips to codes and reconstruction.

MLflow runs this file to load the model ("models from code"); mlflow_package.py stores it beside
the weights and the code of s3vae/model/.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from numpy import ndarray

from s3vae.model.s3vae import S3VAE
from s3vae.model.saved import load_s3vae
from s3vae.runtime import choose_device
from s3vae.tensors import to_bytes, to_unit

CLIPS_AT_A_TIME = 64


class Served(PythonModel):
    """Encode clips to the means of their posteriors, and decode these."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the model's folder, an artifact of the MLflow model."""
        self.device = choose_device()
        self.model: S3VAE = load_s3vae(Path(context.artifacts["model"]), self.device)

    def predict(
        self,
        context: PythonModelContext,
        model_input: ndarray,
        params: dict[str, Any] | None = None,
    ) -> dict[str, ndarray]:
        """Map clips, uint8 [clip, time, height, width, channel], to codes and reconstruction."""
        parts = [self._predict(clips) for clips in batches(model_input)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    @torch.no_grad()
    def _predict(self, clips: ndarray) -> dict[str, ndarray]:
        raw = torch.from_numpy(np.ascontiguousarray(clips)).to(self.device)
        static, dynamic = (code.mean for code in self.model.encode(to_unit(raw)))
        decoded = to_bytes(self.model.decode(static, dynamic))
        codes = {"static": static, "dynamic": dynamic, "reconstruction": decoded}
        return {name: tensor.cpu().numpy() for name, tensor in codes.items()}


def batches(clips: ndarray) -> Iterator[ndarray]:
    """Yield some clips at a time; of no clips one empty part, so that outputs have their shapes."""
    for start in range(0, max(len(clips), 1), CLIPS_AT_A_TIME):
        yield clips[start : start + CLIPS_AT_A_TIME]


set_model(Served())
