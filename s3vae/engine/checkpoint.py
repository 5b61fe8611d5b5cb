"""The state of a training as one file, written whole or not at all, with nothing pickled in it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from s3vae.files import remove_abandoned, replacing

History = list[dict[str, float]]


@dataclass(frozen=True)
class Checkpoint:
    """Where a training keeps its last good state; `key` names the parameters and data it is of."""

    folder: Path
    key: str

    @property
    def path(self) -> Path:
        """The file; its name holds the key, so that another setting never resumes from it."""
        return self.folder / f"{self.key}.safetensors"

    def save(
        self,
        step: int,
        module: nn.Module,
        optimizers: Sequence[Optimizer],
        history: History,
        seconds: float = 0.0,
    ) -> None:
        """Weights, buffers, the optimizers' moments, the step, what was logged, the time taken."""
        tensors = {f"module.{name}": value for name, value in module.state_dict().items()}
        for which, optimizer in enumerate(optimizers):
            for number, moments in optimizer.state_dict()["state"].items():
                under = f"{_optimizer(which)}{number}."
                tensors |= {f"{under}{name}": value for name, value in moments.items()}
        tensors = {name: value.detach().clone().contiguous() for name, value in tensors.items()}
        notes = {"step": str(step), "history": json.dumps(history), "seconds": str(seconds)}
        with replacing(self.path) as path:
            save_file(tensors, path, notes)

    def load(
        self, module: nn.Module, optimizers: Sequence[Optimizer]
    ) -> tuple[int, History, float]:
        """Put the state back; gives the step to go on with, the history and the seconds taken.

        Without a checkpoint nothing changes and the step is 0. What a kill left half-written goes.
        """
        remove_abandoned(self.path)
        if not self.path.exists():
            return 0, [], 0.0
        with safe_open(self.path, framework="pt") as file:
            notes = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        module.load_state_dict(_under("module.", tensors))
        for which, optimizer in enumerate(optimizers):
            moments: dict[int, dict[str, Tensor]] = {}
            for name, value in _under(_optimizer(which), tensors).items():
                number, moment = name.split(".")
                moments.setdefault(int(number), {})[moment] = value
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": moments, "param_groups": groups})
        return int(notes["step"]), json.loads(notes["history"]), float(notes["seconds"])

    def remove(self) -> None:
        """The training has ended well: its result is elsewhere."""
        self.path.unlink(missing_ok=True)


def _optimizer(which: int) -> str:
    """What the names of an optimizer's moments begin with."""
    return f"optimizer.{which}."


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
