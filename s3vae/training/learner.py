"""An objective and its examples, made ready for the training loop."""

import numpy as np
import torch

from s3vae.baselines.mocogan.objective import AdversarialObjective
from s3vae.engine.batches import in_turn
from s3vae.engine.fit import Learner
from s3vae.runtime import generator_at
from s3vae.training.objective import Objective
from s3vae.training.targets import Examples

VALIDATION_CLIPS, VALIDATION_BATCH = 512, 64

AnyObjective = Objective | AdversarialObjective


def model_learner(objective: AnyObjective, given: Examples, device: torch.device) -> Learner:
    """Terms and their weighted total as losses; the same on validation clips as validation."""

    def validate() -> dict[str, float]:
        return validation_losses(objective, given, device)

    return Learner(objective, objective.losses, validate)


def validation_losses(
    objective: AnyObjective, given: Examples, device: torch.device
) -> dict[str, float]:
    """The terms on validation clips (512 at most), the same ones with the same draws each time."""
    # in a random order: clips of one identity stand together in a file
    clips = np.random.default_rng(0).permutation(given.val)
    clips = clips[:VALIDATION_CLIPS]
    # a clip alone has no other one to be told from
    clips = clips[: len(clips) - (len(clips) % VALIDATION_BATCH == 1)]
    sums: dict[str, float] = {}
    for number, indices in enumerate(in_turn(clips, VALIDATION_BATCH)):
        batch = given.batches[indices].to(device)
        for name, value in objective.losses(batch, generator_at(device, 0, number)).items():
            sums[name] = sums.get(name, 0.0) + value.item() * len(indices) / len(clips)
    return sums
