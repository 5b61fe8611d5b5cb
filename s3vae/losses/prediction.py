"""L_DFP, dynamic factor prediction: z_t must predict the motion signal (paper, eq. 6 and 7).

Optical flow is from frame t - 1 to frame t, so losses on flow omit the first frame.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from s3vae.tensors import Scalar


def top_cells_loss(
    logits: Float[Tensor, "batch time cell"], top: Int[Tensor, "batch time-1 k"]
) -> Scalar:
    """Return the multi-label cross-entropy of the k cells of largest motion, summed over time."""
    target = torch.zeros_like(logits[:, 1:]).scatter_(-1, top, 1.0)
    loss = binary_cross_entropy_with_logits(logits[:, 1:], target, reduction="sum")
    return loss / len(logits)


def direction_loss(
    logits: Float[Tensor, "batch time cell bin"], direction: Int[Tensor, "batch time-1 cell"]
) -> Scalar:
    """Return the cross-entropy of the direction of moving cells (-1: still), summed over time."""
    loss = cross_entropy(
        logits[:, 1:].flatten(0, 2), direction.flatten(), ignore_index=-1, reduction="sum"
    )
    return loss / len(logits)


def flow_regression(
    predicted: Float[Tensor, "batch time signal"], signal: Float[Tensor, "batch time-1 signal"]
) -> Scalar:
    """Return the squared error of the cells' motion, mean over signals, summed over time."""
    return (predicted[:, 1:] - signal).square().mean(dim=-1).sum(dim=-1).mean()


def distance_regression(
    predicted: Float[Tensor, "batch time signal"], signal: Float[Tensor, "batch time signal"]
) -> Scalar:
    """Return the squared error of facial distances over all frames, as in `flow_regression`."""
    return (predicted - signal).square().mean(dim=-1).sum(dim=-1).mean()
