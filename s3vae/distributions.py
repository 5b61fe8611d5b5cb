"""The one distribution that the model is made of."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor


@dataclass(frozen=True)
class Gaussian:
    """A normal with diagonal covariance over its last axis, which every method sums over."""

    mean: Float[Tensor, "*batch dim"]
    std: Float[Tensor, "*batch dim"]

    def sample(self, generator: Generator) -> Float[Tensor, "*batch dim"]:
        """A reparametrized draw: gradients reach mean and std."""
        return self.mean + self.std * torch.randn(
            self.mean.shape, generator=generator, device=self.mean.device, dtype=self.mean.dtype
        )

    def kl(self, prior: "Gaussian") -> Float[Tensor, "*batch"]:
        """KL(self ‖ prior), in closed form."""
        ratio = self.std / prior.std
        distance = (self.mean - prior.mean) / prior.std
        return (ratio**2 + distance**2 - 1 - 2 * ratio.log()).sum(-1) / 2

    def log_density(self, value: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch"]:
        """log N(value; mean, std²)."""
        distance = (value - self.mean) / self.std
        return -(distance**2 / 2 + self.std.log() + math.log(2 * math.pi) / 2).sum(-1)

    def pairwise_log_density(
        self, value: Float[Tensor, "*batch rows dim"]
    ) -> Float[Tensor, "*batch rows columns"]:
        """log density of every value (rows) under every component of the last batch axis (columns).

        Expanded into three matrix products, so nothing of size rows x columns x dim is made.
        """
        precision = self.std**-2
        scaled = self.mean * precision
        square = (value**2) @ precision.mT - 2 * value @ scaled.mT
        square = square + (self.mean * scaled).sum(-1).unsqueeze(-2)
        constant = (self.std.log() + math.log(2 * math.pi) / 2).sum(-1).unsqueeze(-2)
        return -square / 2 - constant


def standard_normal(*shape: int, device: torch.device | None = None) -> Gaussian:
    """N(0, I) of a shape."""
    return Gaussian(torch.zeros(shape, device=device), torch.ones(shape, device=device))
