"""The training loop, for every module that is trained here: model and judge."""

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from s3vae.engine.batches import Batch
from s3vae.engine.checkpoint import Checkpoint, History
from s3vae.engine.optimizers import optimizers_of
from s3vae.engine.parallel import is_main_process, parallel_losses, require_same_step
from s3vae.engine.schedule import TrainingSettings, learning_rate
from s3vae.progress import Progress
from s3vae.runtime import generator_at

GRADIENT_NORM = "gradient norm"
Losses = Mapping[str, Tensor]
"""Scalars by name; the one called `total` is minimized."""


class NonFiniteLossError(RuntimeError):
    """A loss became infinite or not a number; the last checkpoint is from before."""


@dataclass(frozen=True)
class Learner:
    """What is trained, and how a batch becomes losses."""

    module: nn.Module
    losses: Callable[[Batch, Generator], Losses]
    validate: Callable[[], Mapping[str, float]]
    """Losses on the validation split, the module being in eval mode."""


Report = Callable[[Mapping[str, float]], None]
"""Is given every row of the history as it is made: the step and what was measured there."""

Keep = Callable[[int], None]
"""Is called after every `snapshot_every` steps, with how many are done."""


class Fitted(NamedTuple):
    """What was logged on the way, and how long it took."""

    history: History
    seconds: float
    """Spent in training, of all processes that had a part in it up to their last checkpoint."""


def fit(
    learner: Learner,
    batches: Callable[[int], Iterable[Batch]],
    settings: TrainingSettings,
    checkpoint: Checkpoint,
    device: torch.device,
    report: Report,
    label: str,
    keep: Keep = lambda step: None,
) -> Fitted:
    """Train to the end, from the checkpoint if there is one.

    `batches(step)` yields the batches from that step on. The weights that come out are the same
    bytes however often the process was killed and started again. Of several processes only the
    main one reports and writes. Raises NonFiniteLossError.
    """
    module = learner.module.train()
    parameters = [p for p in module.parameters() if p.requires_grad]
    optimizers = optimizers_of(module, settings)
    losses_of = parallel_losses(module, learner.losses, device)
    first, history, before = checkpoint.load(module, optimizers)
    require_same_step(first, device)
    begun = time.monotonic() - before
    window: list[dict[str, float]] = []
    with Progress(label, settings.steps, "steps", done=first, shown=is_main_process()) as progress:
        for step, batch in enumerate(batches(first), start=first):
            for optimizer in optimizers:
                for group in optimizer.param_groups:
                    group["lr"] = learning_rate(step, settings)
            generator = generator_at(device, settings.seed, step)
            losses = losses_of(batch.to(device), generator)
            module.zero_grad(set_to_none=True)
            losses["total"].backward()  # type: ignore[no-untyped-call]
            norm = nn.utils.clip_grad_norm_(parameters, settings.clip_norm)
            numbers = torch.stack([*losses.values(), norm]).tolist()
            values = dict(zip([*losses, GRADIENT_NORM], numbers, strict=True))
            refuse_non_finite(values, step, checkpoint)
            for optimizer in optimizers:
                optimizer.step()
            window.append({name: values[name] for name in losses})
            done = step + 1
            due, validate = (
                done % every == 0 or done == settings.steps
                for every in (settings.log_every, settings.validate_every)
            )
            if due or validate:
                row = {"step": float(done)}
                row |= {name: fmean(each[name] for each in window) for name in losses}
                if validate:
                    row |= validated(learner)
                window.clear()
                history.append(row)
                if is_main_process():
                    report(row)
            # before the checkpoint: a resumed training does not come here again
            every = settings.snapshot_every
            if is_main_process() and every and done % every == 0:
                keep(done)
            if is_main_process() and done % settings.checkpoint_every == 0:
                checkpoint.save(done, module, optimizers, history, time.monotonic() - begun)
            progress.advance(note=f"loss {values['total']:.4g}")
    module.eval()
    return Fitted(history, time.monotonic() - begun)


@torch.no_grad()
def validated(learner: Learner) -> dict[str, float]:
    """The validation losses, under names that cannot be taken for training ones."""
    learner.module.eval()
    losses = {f"val_{name}": value for name, value in learner.validate().items()}
    learner.module.train()
    return losses


def refuse_non_finite(losses: Mapping[str, float], step: int, checkpoint: Checkpoint) -> None:
    """Raise with step and name if a loss is not a finite number."""
    for name, value in losses.items():
        if not math.isfinite(value):
            kept = (
                f"the last good state is {checkpoint.path}"
                if checkpoint.path.exists()
                else ("no checkpoint had been written yet")
            )
            msg = (
                f"{name} is {value} at step {step}; {kept}. "
                "Lower learning_rate or clip_norm, or the weight of that term, and start again"
            )
            raise NonFiniteLossError(msg)
