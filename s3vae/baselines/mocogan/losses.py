"""MoCoGAN's adversarial losses (Goodfellow et al. 2014), and the loss of its categories."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cross_entropy, softplus

from s3vae.tensors import Labels, Scalar

Logits = Float[Tensor, "sample *place"]
"""A discriminator's outputs, above 0 for samples that it takes for real."""


def discriminator_loss(real: Logits, generated: Logits) -> Scalar:
    """Return -mean log D(real) - mean log(1 - D(generated)), where D is the logit's sigmoid."""
    return softplus(-real).mean() + softplus(generated).mean()


def generator_loss(generated: Logits) -> Scalar:
    """Return -mean log D(generated)."""
    return softplus(-generated).mean()


def category_loss(
    logits: Mapping[str, Float[Tensor, "batch value"]], labels: Mapping[str, Labels]
) -> Scalar:
    """Return the cross-entropy of every category, summed over categories, mean over clips."""
    return torch.stack([cross_entropy(logits[name], labels[name]) for name in logits]).sum()
