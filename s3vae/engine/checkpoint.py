"""The state of a training in one safetensors file, which is replaced as a whole."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from s3vae.files import remove_abandoned, replacing

History = list[dict[str, float]]


@dataclass(frozen=True)
class Checkpoint:
    """The place of a training's last state; `key` identifies its settings and data."""

    folder: Path
    key: str

    @property
    def path(self) -> Path:
        """The file; the key in its name prevents a resume with other settings."""
        return self.folder / f"{self.key}.safetensors"

    @property
    def snapshots(self) -> Path:
        """The folder of the snapshots that the training has written so far."""
        return self.folder / f"{self.key}-snapshots"

    def save(
        self,
        step: int,
        module: nn.Module,
        optimizers: Sequence[Optimizer],
        history: History,
        seconds: float = 0.0,
    ) -> None:
        """Write weights, buffers, the optimizers' moments, step, history and seconds taken."""
        tensors = {f"module.{name}": value for name, value in module.state_dict().items()}
        for index, optimizer in enumerate(optimizers):
            for parameter, moments in optimizer.state_dict()["state"].items():
                prefix = f"optimizer.{index}.{parameter}."
                tensors |= {f"{prefix}{name}": value for name, value in moments.items()}
        tensors = {name: value.detach().clone().contiguous() for name, value in tensors.items()}
        notes = {"step": str(step), "history": json.dumps(history), "seconds": str(seconds)}
        with replacing(self.path) as path:
            save_file(tensors, path, notes)

    def load(
        self, module: nn.Module, optimizers: Sequence[Optimizer]
    ) -> tuple[int, History, float]:
        """Restore the state; return the number of steps taken, the history and the seconds taken.

        Without a checkpoint, nothing is changed. Partial files of killed processes are removed.
        """
        remove_abandoned(self.path)
        if not self.path.exists():
            return 0, [], 0.0
        with safe_open(self.path, framework="pt") as file:
            notes = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        module.load_state_dict(_with_prefix("module.", tensors))
        for index, optimizer in enumerate(optimizers):
            moments: dict[int, dict[str, Tensor]] = {}
            for name, value in _with_prefix(f"optimizer.{index}.", tensors).items():
                parameter, moment = name.split(".")
                moments.setdefault(int(parameter), {})[moment] = value
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": moments, "param_groups": groups})
            _lay_out_as_weights(optimizer)
        return int(notes["step"]), json.loads(notes["history"]), float(notes["seconds"])

    def remove(self) -> None:
        """Delete the checkpoint and the snapshots of a training whose result is saved."""
        self.path.unlink(missing_ok=True)
        shutil.rmtree(self.snapshots, ignore_errors=True)


def _lay_out_as_weights(optimizer: Optimizer) -> None:
    """Order moments in memory as their weights are: fused Adam reads both in that order."""
    for weight, moments in optimizer.state.items():
        for name, value in moments.items():
            if value.shape == weight.shape:
                moments[name] = torch.empty_like(weight).copy_(value)


def _with_prefix(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose names have a prefix, without it."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
