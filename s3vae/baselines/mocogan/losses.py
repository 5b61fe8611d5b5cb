"""What generator and discriminators of MoCoGAN want of each other's verdicts (hinge form)."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cross_entropy

from s3vae.tensors import Labels, Scalar

Verdicts = Float[Tensor, " shown"]
"""Above 0 for what looks real, below for what looks made."""


def discriminator_loss(real: Verdicts, made: Verdicts) -> Scalar:
    """0 where real verdicts are above 1 and those on made clips below -1 (Lim & Ye 2017)."""
    return (1 - real).relu().mean() + (1 + made).relu().mean()


def generator_loss(made: Verdicts) -> Scalar:
    """Falls as what is made looks more real."""
    return -made.mean()


def category_loss(
    logits: Mapping[str, Float[Tensor, "batch value"]], labels: Mapping[str, Labels]
) -> Scalar:
    """Cross-entropy of every category, summed over categories, mean over clips."""
    return torch.stack([cross_entropy(logits[name], labels[name]) for name in logits]).sum()
