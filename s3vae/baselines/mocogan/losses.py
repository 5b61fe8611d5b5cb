"""The adversarial losses of MoCoGAN in their hinge form, and the loss of its categories."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cross_entropy

from s3vae.tensors import Labels, Scalar

Logits = Float[Tensor, " sample"]
"""A discriminator's outputs, above 0 for samples that it takes for real."""


def discriminator_loss(real: Logits, generated: Logits) -> Scalar:
    """Return mean max(1 - real, 0) + mean max(1 + generated, 0) (Lim & Ye 2017)."""
    return (1 - real).relu().mean() + (1 + generated).relu().mean()


def generator_loss(generated: Logits) -> Scalar:
    """Return minus the mean logit of generated samples."""
    return -generated.mean()


def category_loss(
    logits: Mapping[str, Float[Tensor, "batch value"]], labels: Mapping[str, Labels]
) -> Scalar:
    """Return the cross-entropy of every category, summed over categories, mean over clips."""
    return torch.stack([cross_entropy(logits[name], labels[name]) for name in logits]).sum()
