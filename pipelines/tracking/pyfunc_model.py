"""The trained model as MLflow loads it: encode, swap, decode and generate clips.

MLflow runs this file to load the model ("models from code"); mlflow_package.py stores it beside
the weights and the code of s3vae/model/.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from numpy import ndarray
from torch import Tensor

from s3vae.model.adaptation import adapted
from s3vae.model.s3vae import S3VAE
from s3vae.model.saved import load_s3vae
from s3vae.runtime import choose_device, generator_at
from s3vae.tensors import CodePair, to_bytes, to_unit

CLIPS_AT_A_TIME = 64
MOST_STEPS = 10_000
"""Of an adaptation, which keeps the server at work."""
ACTIONS = ("encode", "swap", "decode", "generate")


class Served(PythonModel):
    """A sequential VAE behind MLflow's interface, which the parameter `action` selects from.

    `encode` (default): the codes of clips and their reconstruction. `swap`: the first half of the
    clips with the motion of the second, by a model that `adapt` steps of gradient descent adapt to
    each appearance, 0 by default. `decode`: the codes in the parameters `static` and
    `dynamic`, flat lists of `number` clips. `generate`: `number` clips of `time` frames, drawn with
    `seed`. All return `static`, `dynamic` and `video`.
    """

    def load_context(self, context: PythonModelContext) -> None:
        """Load the model's folder, an artifact of the MLflow model."""
        self.device = choose_device()
        self.model: S3VAE = load_s3vae(Path(context.artifacts["model"]), self.device)

    @torch.no_grad()
    def predict(
        self,
        context: PythonModelContext,
        model_input: ndarray,
        params: dict[str, Any] | None = None,
    ) -> dict[str, ndarray]:
        """Map clips, uint8 [clip, time, height, width, channel], to codes and clips."""
        wanted, model_input = params or {}, np.ascontiguousarray(model_input)
        action = wanted.get("action", "encode")
        if action not in ACTIONS:
            msg = f"unknown action {action!r}: choose one of {', '.join(ACTIONS)}"
            raise ValueError(msg)
        if action == "generate":
            static, dynamic = self._drawn(wanted["number"], wanted["time"], wanted["seed"])
        elif action == "decode":
            static, dynamic = self._given(wanted)
        else:
            static, dynamic = self._encoded(model_input)
        if action == "swap":
            return self._swapped(model_input, static, dynamic, wanted.get("adapt") or 0)
        return self._decoded(self.model, static, dynamic)

    def _swapped(
        self, clips: ndarray, static: Tensor, dynamic: Tensor, steps: int
    ) -> dict[str, ndarray]:
        if len(static) % 2:
            msg = f"`swap` takes pairs of clips, not {len(static)}: appearances, then motions"
            raise ValueError(msg)
        if not 0 <= steps <= MOST_STEPS:
            raise ValueError(f"`adapt` is {steps}: name 0 to {MOST_STEPS} steps")
        half = len(static) // 2
        if not steps:
            return self._decoded(self.model, static[:half], dynamic[half:])
        swaps = []
        for lent, own, moves, clip in zip(static, dynamic, dynamic[half:], clips, strict=False):
            frames = torch.from_numpy(clip).to(self.device)
            model = adapted(self.model, [(frames, lent, own)], range(steps))
            swaps.append(self._decoded(model, lent[None], moves[None]))
        return {name: np.concatenate([swap[name] for swap in swaps]) for name in swaps[0]}

    def _decoded(self, model: S3VAE, static: Tensor, dynamic: Tensor) -> dict[str, ndarray]:
        video = [
            to_bytes(model.decode(*codes)).cpu()
            for codes in zip(
                torch.split(static, CLIPS_AT_A_TIME),
                torch.split(dynamic, CLIPS_AT_A_TIME),
                strict=True,
            )
        ]
        return {
            "static": static.cpu().numpy(),
            "dynamic": dynamic.cpu().numpy(),
            "video": torch.cat(video).numpy(),
        }

    def _encoded(self, clips: ndarray) -> CodePair:
        parts = []
        for start in range(0, max(len(clips), 1), CLIPS_AT_A_TIME):
            some = clips[start : start + CLIPS_AT_A_TIME]
            parts.append(self.model.encode(to_unit(torch.from_numpy(some).to(self.device))))
        static = torch.cat([part.static.mean for part in parts])
        return static, torch.cat([part.dynamic.mean for part in parts])

    def _drawn(self, number: int, time: int, seed: int) -> CodePair:
        generator = generator_at(self.device, seed)
        static = self.model.draw_learned_static(number, generator)
        return static, self.model.draw_dynamic(number, time, generator)

    def _given(self, wanted: dict[str, Any]) -> CodePair:
        sizes, number = self.model.architecture, wanted["number"]
        static, dynamic = (
            torch.tensor(wanted[name], dtype=torch.float32, device=self.device)
            for name in ("static", "dynamic")
        )
        try:
            return static.reshape(number, sizes.static), dynamic.reshape(number, -1, sizes.dynamic)
        except RuntimeError:
            msg = (
                f"`decode` takes flat lists of {number} x {sizes.static} numbers for `static` and "
                f"{number} x time x {sizes.dynamic} for `dynamic`, not {len(static)} and "
                f"{len(dynamic)}: set `number` to the number of clips"
            )
            raise ValueError(msg) from None


set_model(Served())
