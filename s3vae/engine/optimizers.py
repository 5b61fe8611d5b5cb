"""The optimizers: Adam, or Muon for matrices and Adam for all other weights."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from s3vae.engine.schedule import TrainingSettings

MOMENTUM = 0.95
"""The decay of Muon's running mean of gradients."""
ADAM_RMS = 0.2
"""The usual root mean square of Adam's steps, in learning rates (Liu et al. 2025)."""
QUINTIC, ITERATIONS, SMALLEST_NORM = (3.4445, -4.775, 2.0315), 5, 1e-7


class Muon(Optimizer):
    """Muon (Jordan 2024) for matrices, and for kernels flattened to one row per output.

    Its steps are orthogonal matrices, so that rare directions of the gradient (features of a few
    pixels) are learned as fast as frequent ones (the brightness of all pixels). Steps are scaled to
    the length of Adam's, so that both share one learning rate. PyTorch's Muon computes in bfloat16,
    for which most processors have no instructions: it is 28 times slower there.
    """

    def __init__(self, weights: Sequence[Tensor], learning_rate: float) -> None:
        super().__init__(weights, {"lr": learning_rate})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update the weights from their gradients."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                momentum = state["momentum"].lerp_(weight.grad, 1 - MOMENTUM)
                nesterov = weight.grad.lerp(momentum, MOMENTUM).flatten(1)
                scale = ADAM_RMS * math.sqrt(max(nesterov.shape))
                weight.add_(orthogonal(nesterov).view_as(weight), alpha=-group["lr"] * scale)


def orthogonal(matrix: Float[Tensor, "rows columns"]) -> Float[Tensor, "rows columns"]:
    """Approximate U V' of a matrix U S V' by Newton-Schulz iterations with Jordan's polynomial.

    Singular values become 0.7 to 1.2, which suffices for a step. The iteration X <- p(X X') X is
    computed on the smaller square matrix X X' and the accumulated factor is applied to X at the
    end, which on wide kernels takes a third to a half of the arithmetic.
    """
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.mT
    wide = wide / wide.norm().clamp(min=SMALLEST_NORM)
    gram = wide @ wide.mT
    one, three, five = QUINTIC
    product = torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    for _ in range(ITERATIONS):
        factor = torch.addmm(gram, gram, gram, beta=three, alpha=five)
        factor.diagonal().add_(one)
        product = factor @ product
        gram = factor @ gram @ factor
    result: Tensor = product @ wide
    return result if wide.shape == matrix.shape else result.mT


def optimizers_of(module: nn.Module, settings: TrainingSettings) -> list[Optimizer]:
    """Return the optimizers that together update all weights of a module that require gradients."""
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
