"""The training loop, the same for every module: models and judges."""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from statistics import fmean
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.optim import Optimizer

from s3vae.engine.batches import Batch
from s3vae.engine.checkpoint import Checkpoint, History
from s3vae.engine.optimizers import optimizers_of
from s3vae.engine.parallel import parallel_losses, require_same_step
from s3vae.engine.schedule import TrainingSettings, learning_rate
from s3vae.processes import is_main_process
from s3vae.progress import Progress
from s3vae.runtime import generator_at

GRADIENT_NORM = "gradient norm"
Losses = Mapping[str, Tensor]
"""Scalars by name; the one called `total` is minimized."""


class NonFiniteLossError(RuntimeError):
    """A loss became infinite or not a number; the last checkpoint is from before."""


@dataclass(frozen=True)
class Learner:
    """A module and its losses."""

    module: nn.Module
    losses: Callable[[Batch, Generator], Losses]
    validate: Callable[[], Mapping[str, float]]
    """Returns losses on the validation split; the module is in eval mode when it is called."""
    finished: Callable[[History], bool] = lambda history: False
    """Returns whether the training may end before its last step, from the rows so far."""


Report = Callable[[Mapping[str, float]], None]
"""Receives each row of the history when it is complete: the step and the values at that step."""

Snapshot = Callable[[int], None]
"""Saves the model every `snapshot_every` steps; receives the number of steps taken."""


class Fitted(NamedTuple):
    """The result of a training beside the weights."""

    history: History
    seconds: float
    """The duration, including that of killed processes up to their last checkpoint."""


def fit(
    learner: Learner,
    batches: Callable[[int], Iterable[Batch]],
    settings: TrainingSettings,
    checkpoint: Checkpoint,
    device: torch.device,
    report: Report,
    label: str,
    snapshot: Snapshot = lambda step: None,
) -> Fitted:
    """Train to the end, from the checkpoint if there is one.

    `batches(step)` yields the batches from that step on. An interrupted and resumed training gives
    the same weights to the byte. Of several processes only the main one reports and writes. Raises
    NonFiniteLossError.
    """
    module = learner.module.train()
    optimizers = optimizers_of(module, settings)
    losses_of = parallel_losses(module, learner.losses, device)
    first, history, seconds_before = checkpoint.load(module, optimizers)
    require_same_step(first, device)
    start, main = time.monotonic() - seconds_before, is_main_process()
    log = _Log(learner, settings, history, report)
    with Progress(label, settings.steps, "steps", done=first, visible=main) as progress:
        unfinished = takewhile(lambda _: not learner.finished(history), batches(first))
        for step, batch in enumerate(unfinished, start=first):
            losses = losses_of(batch.to(device), generator_at(device, settings.seed, step))
            norm = compute_gradients(module, losses["total"], settings.clip_norm)
            values = finite_values(losses, norm, step, checkpoint)
            update_weights(optimizers, learning_rate(step, settings))
            done = step + 1
            log.add(done, values)
            # before the checkpoint: a resumed training starts after it and would not save this
            if main and settings.snapshot_every and done % settings.snapshot_every == 0:
                snapshot(done)
            if main and done % settings.checkpoint_every == 0:
                checkpoint.save(done, module, optimizers, history, time.monotonic() - start)
            progress.advance(note=f"loss {values['total']:.4g}")
    module.eval()
    return Fitted(history, time.monotonic() - start)


def compute_gradients(module: nn.Module, total: Tensor, clip_norm: float) -> Tensor:
    """Compute the gradients of a loss, scaled down to `clip_norm`; return their norm before."""
    module.zero_grad(set_to_none=True)
    total.backward()  # type: ignore[no-untyped-call]
    return nn.utils.clip_grad_norm_(module.parameters(), clip_norm)


def update_weights(optimizers: Sequence[Optimizer], rate: float) -> None:
    """Take a step with every optimizer at this learning rate."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()


@dataclass
class _Log:
    """Adds rows to the history: mean losses since the last row, and validation losses."""

    learner: Learner
    settings: TrainingSettings
    history: History
    report: Report
    window: list[Mapping[str, float]] = field(default_factory=list)

    def add(self, done: int, losses: Mapping[str, float]) -> None:
        """Add the losses of a step, and a row to the history if one is due."""
        self.window.append(losses)
        row_due, validation_due = (
            done % every == 0 or done == self.settings.steps
            for every in (self.settings.log_every, self.settings.validate_every)
        )
        if not (row_due or validation_due):
            return
        row = {"step": float(done)}
        row |= {name: fmean(each[name] for each in self.window) for name in losses}
        if validation_due:
            row |= validate(self.learner)
        self.window.clear()
        self.history.append(row)
        if is_main_process():
            self.report(row)


def stalled(history: History, patience: int | None) -> bool:
    """Return whether the latest `patience` validations were no better than those before.

    They are compared by reconstruction error if there is one: weighted terms, such as the
    prediction of a motion signal, may overfit while pictures still become better.
    """
    validated = [row for row in history if "val_total" in row]
    return no_better(
        [row.get("val_reconstruction", row["val_total"]) for row in validated], patience
    )


def no_better(errors: Sequence[float], patience: int | None) -> bool:
    """Return whether the latest `patience` errors are no smaller than the smallest before them."""
    if patience is None or len(errors) <= patience:
        return False
    return min(errors[-patience:]) >= min(errors[:-patience])


@torch.no_grad()
def validate(learner: Learner) -> dict[str, float]:
    """Return the losses on the validation split, with `val_` before their names."""
    learner.module.eval()
    losses = {f"val_{name}": value for name, value in learner.validate().items()}
    learner.module.train()
    return losses


def finite_values(
    losses: Losses, norm: Tensor, step: int, checkpoint: Checkpoint
) -> dict[str, float]:
    """Return the losses as floats. Raises NonFiniteLossError if one, or the norm, is not finite."""
    numbers = torch.stack([*losses.values(), norm]).tolist()
    for name, value in zip([*losses, GRADIENT_NORM], numbers, strict=True):
        if not math.isfinite(value):
            state = (
                f"the last checkpoint is {checkpoint.path}"
                if checkpoint.path.exists()
                else "no checkpoint had been written yet"
            )
            raise NonFiniteLossError(
                f"{name} is {value} at step {step}; {state}. "
                "Lower learning_rate, clip_norm or the weight of that term, and start again"
            )
    return dict(zip(losses, numbers, strict=False))
