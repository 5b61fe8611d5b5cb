"""A learned prior of appearance, p(z_f), fitted to the codes of clips after training."""

import warnings
from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from jaxtyping import Float, Float32
from numpy import ndarray
from torch import Generator, Tensor, nn

from s3vae.tensors import StaticCode

RIDGE = 1e-4
"""Added to variances, for dimensions in which all codes are nearly equal."""
POINTS_PER_COMPONENT, SEED = 10, 0
LEAST_DEVIATION = 0.01
"""Directions in which codes vary less than this share of the largest deviation are constant."""
BINS, REACH, LEAST_INFORMATION = 8, 2.0, 0.08
"""Sources with more mutual information (nats, of bins up to REACH standard deviations) are drawn
together."""
Points = Float[ndarray, "clip source"]


class Mixture(nn.Module):
    """A mixture of Gaussians with full covariances L L^T."""

    shares: Float[Tensor, " component"]
    means: Float[Tensor, "component source"]
    factors: Float[Tensor, "component source source"]

    def __init__(self, components: int, sources: int) -> None:
        super().__init__()
        self.register_buffer("shares", torch.full((components,), 1 / components))
        self.register_buffer("means", torch.zeros(components, sources))
        self.register_buffer("factors", torch.eye(sources).repeat(components, 1, 1))

    def sample(self, batch: int, generator: Generator) -> Float[Tensor, "batch source"]:
        """Draw a component for each, then a point from its Gaussian."""
        chosen = torch.multinomial(self.shares, batch, replacement=True, generator=generator)
        shape = batch, self.means.shape[1], 1
        noise = torch.randn(shape, generator=generator, device=generator.device)
        points: Tensor = self.means[chosen] + (self.factors[chosen] @ noise)[..., 0]
        return points


class StaticPrior(nn.Module):
    """A prior of which new appearances are drawn: independent parts, a mixture of each.

    The paper draws z_f from N(0, I), most of which lies where no clip has its code. Here z_f is a
    linear map of independent sources (independent component analysis: Hyvärinen & Oja 2000). Those
    that depend on each other, such as the values of one attribute, form a part. Drawing parts apart
    recombines attributes; a mixture of each draws only values that there are.
    """

    centre: Float[Tensor, " static"]
    mixing: Float[Tensor, "source static"]

    def __init__(self, static: int, parts: Sequence[tuple[int, int]]) -> None:
        """`parts` has the number of components and of sources of each part."""
        super().__init__()
        sources = sum(size for _, size in parts)
        self.register_buffer("centre", torch.zeros(static))
        self.register_buffer("mixing", torch.eye(sources, static))
        self.parts = nn.ModuleList(Mixture(*sizes) for sizes in parts)

    def sample(self, batch: int, generator: Generator) -> StaticCode:
        """Draw appearances."""
        sources = [cast(Mixture, part).sample(batch, generator) for part in self.parts]
        codes: Tensor = self.centre + torch.cat(sources, dim=1) @ self.mixing
        return codes


def fit_static_prior(codes: Float32[ndarray, "clip static"]) -> StaticPrior:
    """Fit sources, their parts and a mixture of each part to the codes of clips."""
    import sklearn.mixture  # noqa: F401  limits reach only libraries that are loaded
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # sums in one order
        points = codes.astype(np.float64)
        sources, mixing = independent_sources(points - points.mean(axis=0))
        parts = dependent_parts(sources)
        mixtures = [fit_mixture(sources[:, part]) for part in parts]
    sizes = [(len(each.shares), len(part)) for each, part in zip(mixtures, parts, strict=True)]
    prior = StaticPrior(codes.shape[1], sizes)
    prior.parts = nn.ModuleList(mixtures)
    prior.centre.copy_(torch.from_numpy(points.mean(axis=0)))
    prior.mixing.copy_(torch.from_numpy(mixing[np.concatenate(parts)]))
    return prior


def independent_sources(
    points: Float[ndarray, "clip static"],
) -> tuple[Points, Float[ndarray, "source static"]]:
    """Return sources of unit variance and the map that makes centred points of them."""
    from sklearn.decomposition import FastICA
    from sklearn.exceptions import ConvergenceWarning

    _, lengths, directions = np.linalg.svd(points, full_matrices=False)
    deviations = lengths / np.sqrt(len(points))
    count = max(int((deviations > LEAST_DEVIATION * deviations[0]).sum()), 1)
    scaled = deviations[:count, None] * directions[:count]
    if not deviations[0]:
        return np.zeros((len(points), 1)), scaled
    white = points @ directions[:count].T / deviations[:count]
    with warnings.catch_warnings():
        # sources that are not quite independent serve as well
        warnings.simplefilter("ignore", ConvergenceWarning)
        analysis = FastICA(whiten=False, fun="cube", max_iter=500, tol=1e-3, random_state=SEED)
        sources = analysis.fit_transform(white)
    mixing = np.linalg.pinv(analysis.components_.T) @ scaled
    size = sources.std(axis=0)
    return sources / size, mixing * size[:, None]


def dependent_parts(sources: Points) -> list[ndarray]:
    """Return the indices of the sources of each part, by clustering with average linkage."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    count = sources.shape[1]
    if count == 1:
        return [np.arange(1)]
    information = mutual_information(sources)
    distance = information.max() - information
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(distance, checks=False), "average")
    part = fcluster(tree, information.max() - LEAST_INFORMATION, "distance")
    return [np.flatnonzero(part == each) for each in np.unique(part)]


def mutual_information(sources: Points) -> Float[ndarray, "source source"]:
    """Return the mutual information of each two sources in bins, 0 of a source and itself.

    With few clips it is too large, so that all sources form one part.
    """
    inner = np.linspace(-REACH, REACH, BINS + 1)[1:-1]
    bins = [np.searchsorted(inner, source) for source in sources.T]
    result = np.zeros((len(bins), len(bins)))
    for i, first in enumerate(bins):
        for j, second in enumerate(bins[:i]):
            joint = np.bincount(first * BINS + second, minlength=BINS**2) / len(sources)
            table = joint.reshape(BINS, BINS)
            apart = np.outer(table.sum(axis=1), table.sum(axis=0))
            there = table > 0
            found = (table[there] * np.log(table[there] / apart[there])).sum()
            result[i, j] = result[j, i] = found
    return result


def fit_mixture(points: Points) -> Mixture:
    """Fit a mixture by expectation maximisation.

    The number of components is doubled until the Bayesian information criterion rises.
    """
    from sklearn.mixture import GaussianMixture

    if len(points) == 1:
        points = np.repeat(points, 2, axis=0)  # the fewest that can be fitted
    most = max(len(points) // POINTS_PER_COMPONENT, 1)
    best, lowest, components = None, np.inf, 1
    while components <= most:
        fitted = GaussianMixture(components, reg_covar=RIDGE, random_state=SEED).fit(points)
        if (criterion := fitted.bic(points)) >= lowest:
            break
        best, lowest, components = fitted, criterion, 2 * components
    assert best is not None
    mixture = Mixture(len(best.weights_), points.shape[1])
    mixture.shares.copy_(torch.from_numpy(best.weights_))
    mixture.means.copy_(torch.from_numpy(best.means_))
    mixture.factors.copy_(torch.from_numpy(np.linalg.cholesky(best.covariances_)))
    return mixture
