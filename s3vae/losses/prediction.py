"""L_DFP, dynamic-factor prediction: z_t must tell how the frame moved (paper, eq. 6 and 7).

Flow leads from frame t - 1 to frame t, so the first frame has none: it is left out everywhere.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from s3vae.tensors import Scalar


def top_cells_loss(
    logits: Float[Tensor, "batch time cell"], top: Int[Tensor, "batch time-1 k"]
) -> Scalar:
    """Multi-label cross-entropy of the k cells that move most, a sum over time and cells."""
    target = torch.zeros_like(logits[:, 1:]).scatter_(-1, top, 1.0)
    loss = binary_cross_entropy_with_logits(logits[:, 1:], target, reduction="sum")
    return loss / len(logits)


def direction_loss(
    logits: Float[Tensor, "batch time cell bin"], direction: Int[Tensor, "batch time-1 cell"]
) -> Scalar:
    """Cross-entropy of the direction of every moving cell (-1: a still one), summed over time."""
    loss = cross_entropy(
        logits[:, 1:].flatten(0, 2), direction.flatten(), ignore_index=-1, reduction="sum"
    )
    return loss / len(logits)


def flow_regression(
    predicted: Float[Tensor, "batch time signal"], signal: Float[Tensor, "batch time-1 signal"]
) -> Scalar:
    """Squared error of the cells' motion, mean over signals, sum over time."""
    return (predicted[:, 1:] - signal).square().mean(dim=-1).sum(dim=-1).mean()


def distance_regression(
    predicted: Float[Tensor, "batch time signal"], signal: Float[Tensor, "batch time signal"]
) -> Scalar:
    """Squared error of the facial distances, which the first frame has too."""
    return (predicted - signal).square().mean(dim=-1).sum(dim=-1).mean()
