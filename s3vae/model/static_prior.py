"""A learned prior of appearance, p(z_f): a mixture of Gaussians fitted to codes after training."""

import numpy as np
import torch
from jaxtyping import Float, Float32
from numpy import ndarray
from torch import Generator, Tensor, nn

from s3vae.tensors import StaticCode

RIDGE = 1e-4
"""Added to variances, for dimensions in which all codes are nearly equal."""
POINTS_PER_COMPONENT = 10


class StaticPrior(nn.Module):
    """A mixture of Gaussians with full covariances, of which new appearances are drawn.

    The paper draws z_f from N(0, I), most of which lies where no clip has its code. A mixture that
    covers the codes of the training clips draws appearances that the decoder knows.
    """

    shares: Float[Tensor, " component"]
    means: Float[Tensor, "component static"]
    factors: Float[Tensor, "component static static"]

    def __init__(self, components: int, static: int) -> None:
        super().__init__()
        self.register_buffer("shares", torch.full((components,), 1 / components))
        self.register_buffer("means", torch.zeros(components, static))
        # of covariances L L^T
        self.register_buffer("factors", torch.eye(static).repeat(components, 1, 1))

    def sample(self, batch: int, generator: Generator) -> StaticCode:
        """Draw appearances: a component for each, then a code from its Gaussian."""
        chosen = torch.multinomial(self.shares, batch, replacement=True, generator=generator)
        shape = batch, self.means.shape[1], 1
        noise = torch.randn(shape, generator=generator, device=generator.device)
        codes: Tensor = self.means[chosen] + (self.factors[chosen] @ noise)[..., 0]
        return codes

    def covariance(self) -> Float[Tensor, "static static"]:
        """Return the covariance of the whole mixture."""
        centred = self.means - self.shares @ self.means
        within = torch.einsum("c,cij,ckj->ik", self.shares, self.factors, self.factors)
        return within + torch.einsum("c,ci,cj->ij", self.shares, centred, centred)


def fit_static_prior(codes: Float32[ndarray, "clip static"], seed: int = 0) -> StaticPrior:
    """Fit a mixture to the codes of clips by expectation maximisation.

    The number of components is doubled until the Bayesian information criterion rises.
    """
    from sklearn.mixture import GaussianMixture

    points = codes.astype(np.float64)
    if len(points) == 1:
        points = np.repeat(points, 2, axis=0)  # the fewest that can be fitted
    most = max(len(points) // POINTS_PER_COMPONENT, 1)
    best, lowest, components = None, np.inf, 1
    while components <= most:
        mixture = GaussianMixture(components, reg_covar=RIDGE, random_state=seed).fit(points)
        if (criterion := mixture.bic(points)) >= lowest:
            break
        best, lowest, components = mixture, criterion, 2 * components
    assert best is not None
    prior = StaticPrior(len(best.weights_), codes.shape[1])
    with torch.no_grad():
        prior.shares.copy_(torch.from_numpy(best.weights_))
        prior.means.copy_(torch.from_numpy(best.means_))
        prior.factors.copy_(torch.from_numpy(np.linalg.cholesky(best.covariances_)))
    return prior
