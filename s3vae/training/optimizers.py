"""What moves the weights: Adam alone, or Muon for matrices with Adam for all else."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.optim import Adam, Muon, Optimizer

from s3vae.training.settings import TrainingSettings


class MuonOfMatrices(Muon):
    """Muon (Jordan 2024), with kernels of convolutions taken as matrices: one row an output.

    Its steps are orthogonal matrices, so that what is rare in the gradient is learned as fast as
    what is frequent: features of a few pixels beside the light on all of them. Steps are scaled to
    be as long as Adam's, so that one learning rate serves both.
    """

    def __init__(self, weights: Sequence[Tensor], learning_rate: float) -> None:
        self.weights = weights
        # views: what is stepped here moves the weights themselves
        self.matrices = [nn.Parameter(weight.detach().flatten(1)) for weight in weights]
        super().__init__(
            self.matrices, lr=learning_rate, weight_decay=0.0, adjust_lr_fn="match_rms_adamw"
        )

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move the weights by their gradients."""
        for weight, matrix in zip(self.weights, self.matrices, strict=True):
            matrix.grad = None if weight.grad is None else weight.grad.flatten(1)
        super().step(closure)  # type: ignore[no-untyped-call]


def optimizers_of(module: nn.Module, settings: TrainingSettings) -> list[Optimizer]:
    """The optimizers that together move every weight of a module that is trained."""
    weights = [weight for weight in module.parameters() if weight.requires_grad]
    matrices = [weight for weight in weights if settings.muon and weight.ndim > 1]
    others = [weight for weight in weights if not (settings.muon and weight.ndim > 1)]
    betas = (settings.momentum, 0.999)
    optimizers: list[Optimizer] = []
    if others:
        optimizers.append(Adam(others, lr=settings.learning_rate, betas=betas, fused=True))
    if matrices:
        optimizers.append(MuonOfMatrices(matrices, settings.learning_rate))
    return optimizers
