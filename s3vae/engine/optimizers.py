"""What moves the weights: Adam alone, or Muon for matrices with Adam for all else."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from s3vae.engine.schedule import TrainingSettings

MOMENTUM = 0.95
"""How much of the gradients' running mean Muon carries on."""
ADAMS_LENGTH = 0.2
"""The usual root mean square of Adam's steps, in learning rates (Liu et al. 2025)."""
QUINTIC, ITERATIONS, SMALLEST_NORM = (3.4445, -4.775, 2.0315), 5, 1e-7


class Muon(Optimizer):
    """Muon (Jordan 2024) for matrices, and for kernels taken as matrices: one row an output.

    Its steps are orthogonal matrices, so that what is rare in the gradient is learned as fast as
    what is frequent: features of a few pixels beside the light on all of them. Steps are scaled to
    be as long as Adam's, so that one learning rate serves both. PyTorch's Muon computes in
    bfloat16, which most processors have no instructions for: 28 times slower there than this.
    """

    def __init__(self, weights: Sequence[Tensor], learning_rate: float) -> None:
        super().__init__(weights, {"lr": learning_rate})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move the weights by their gradients."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                momentum = state["momentum"].lerp_(weight.grad, 1 - MOMENTUM)
                ahead = weight.grad.lerp(momentum, MOMENTUM).flatten(1)
                length = ADAMS_LENGTH * math.sqrt(max(ahead.shape))
                weight.add_(orthogonal(ahead).view_as(weight), alpha=-group["lr"] * length)


def orthogonal(matrix: Float[Tensor, "rows columns"]) -> Float[Tensor, "rows columns"]:
    """About U V' of a matrix U S V': by Newton and Schulz, with Jordan's polynomial.

    Singular values become about 1 (0.7 to 1.2), which is as good as 1 for a step. The iteration
    X <- p(X X') X is done on the small square X X' alone, and what came of it applied to the
    matrix at the end: on wide kernels a half to a third of the arithmetic.
    """
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.mT
    wide = wide / wide.norm().clamp(min=SMALLEST_NORM)
    gram = wide @ wide.mT
    one, three, five = QUINTIC
    applied = torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    for _ in range(ITERATIONS):
        factor = torch.addmm(gram, gram, gram, beta=three, alpha=five)
        factor.diagonal().add_(one)
        applied = factor @ applied
        gram = factor @ gram @ factor
    result: Tensor = applied @ wide
    return result if wide.shape == matrix.shape else result.mT


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
        optimizers.append(Muon(matrices, settings.learning_rate))
    return optimizers
