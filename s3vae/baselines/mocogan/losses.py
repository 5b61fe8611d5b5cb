"""The adversarial losses of MoCoGAN, logistic or of hinge form, and the loss of its categories."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cross_entropy, softplus

from s3vae.tensors import Labels, Scalar

Logits = Float[Tensor, "sample *place"]
"""A discriminator's outputs, above 0 for samples that it takes for real."""


class Adversarial(NamedTuple):
    """The loss of a discriminator on real and generated samples, and the generator's."""

    discriminator: Callable[[Logits, Logits], Scalar]
    generator: Callable[[Logits], Scalar]


def logistic(real: Logits, generated: Logits) -> Scalar:
    """Return -mean log D(real) - mean log(1 - D(generated)), where D is the logit's sigmoid.

    Goodfellow et al. 2014.
    """
    return softplus(-real).mean() + softplus(generated).mean()


def logistic_generator(generated: Logits) -> Scalar:
    """Return -mean log D(generated)."""
    return softplus(-generated).mean()


def hinge(real: Logits, generated: Logits) -> Scalar:
    """Return mean max(1 - real, 0) + mean max(1 + generated, 0) (Lim & Ye 2017)."""
    return (1 - real).relu().mean() + (1 + generated).relu().mean()


def hinge_generator(generated: Logits) -> Scalar:
    """Return minus the mean logit of generated samples."""
    return -generated.mean()


LOSSES = {
    "published": Adversarial(logistic, logistic_generator),
    "bounded": Adversarial(hinge, hinge_generator),
}
"""The losses by the kind of the discriminators."""


def category_loss(
    logits: Mapping[str, Float[Tensor, "batch value"]], labels: Mapping[str, Labels]
) -> Scalar:
    """Return the cross-entropy of every category, summed over categories, mean over clips."""
    return torch.stack([cross_entropy(logits[name], labels[name]) for name in logits]).sum()
