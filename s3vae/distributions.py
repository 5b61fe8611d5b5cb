"""The Gaussian, the only distribution of the model."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor


@dataclass(frozen=True)
class Gaussian:
    """A normal distribution with diagonal covariance; all methods sum over its last axis."""

    mean: Float[Tensor, "*batch dim"]
    std: Float[Tensor, "*batch dim"]

    def sample(self, generator: Generator) -> Float[Tensor, "*batch dim"]:
        """Draw a sample by reparametrization, so that gradients reach mean and std."""
        return self.mean + self.std * torch.randn(
            self.mean.shape, generator=generator, device=self.mean.device, dtype=self.mean.dtype
        )

    def kl(self, prior: "Gaussian") -> Float[Tensor, "*batch"]:
        """Return KL(self ‖ prior) in nats, in closed form."""
        ratio = self.std / prior.std
        distance = (self.mean - prior.mean) / prior.std
        return (ratio**2 + distance**2 - 1 - 2 * ratio.log()).sum(-1) / 2

    def log_density(self, value: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch"]:
        """Return log N(value; mean, std²)."""
        distance = (value - self.mean) / self.std
        return -(distance**2 / 2 + self.std.log() + math.log(2 * math.pi) / 2).sum(-1)

    def pairwise_log_density(
        self, value: Float[Tensor, "*batch rows dim"]
    ) -> Float[Tensor, "*batch rows columns"]:
        """Return the log density of every value (row) under every Gaussian (column).

        Rows and columns are the last batch axes of `value` and of the Gaussian. The square is
        expanded into matrix products, which avoids a tensor of size rows x columns x dim.
        """
        precision = self.std**-2
        scaled = self.mean * precision
        square = (value**2) @ precision.mT - 2 * value @ scaled.mT
        square = square + (self.mean * scaled).sum(-1).unsqueeze(-2)
        constant = (self.std.log() + math.log(2 * math.pi) / 2).sum(-1).unsqueeze(-2)
        return -square / 2 - constant


def standard_normal(*shape: int, device: torch.device | None = None) -> Gaussian:
    """Return N(0, I) of a shape."""
    return Gaussian(torch.zeros(shape, device=device), torch.ones(shape, device=device))
