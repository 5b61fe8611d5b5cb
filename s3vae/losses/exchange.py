"""Motion exchange: in training, shift z_f between motion clusters before it is decoded.

Clips of one cluster move alike, so differences between the cluster means of z_f are information
about motion. Decoding from z_f - m(own cluster) + m(other cluster) makes this information wrong,
so the decoder has to take motion from z_t, and the KL term then removes it from z_f.
"""

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn

from s3vae.tensors import Labels, Scalar, StaticCode

LEAST_VARIANCE = 1e-3
"""A floor of the unit in which the alignment penalty measures codes."""


class MotionExchange(nn.Module):
    """Exponential moving averages of mean and covariance of z_f per motion cluster."""

    means: Tensor
    covariances: Tensor
    updates: Tensor

    def __init__(self, clusters: int, static: int, decay: float) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("means", torch.zeros(clusters, static))
        self.register_buffer("covariances", torch.zeros(clusters, static * static))
        self.register_buffer("updates", torch.zeros(clusters))

    @torch.no_grad()
    def update(self, means: StaticCode, clusters: Labels) -> None:
        """Move each cluster's averages towards the posterior means of its clips in this batch.

        The first batches count alike. Deviations are taken from the means after their update.
        """
        self._move(self.means, means, clusters)
        self._move(self.covariances, self._products(means, clusters), clusters)
        self.updates += torch.bincount(clusters, minlength=len(self.updates)) > 0

    def _move(self, average: Tensor, values: Tensor, clusters: Labels) -> None:
        counts = torch.bincount(clusters, minlength=len(average)).float()
        sums = torch.zeros_like(average).index_add_(0, clusters, values)
        present = counts > 0
        batch_means = sums[present] / counts[present, None]
        decay = (self.updates[present] / (self.updates[present] + 1)).clamp(max=self.decay)[:, None]
        average[present] = decay * average[present] + (1 - decay) * batch_means

    def shift_to_cluster(self, code: StaticCode, source: Labels, target: Labels) -> StaticCode:
        """Return z_f - m(source) + m(target); no gradient reaches the means."""
        return code - self.means[source] + self.means[target]

    def alignment(self, means: StaticCode, clusters: Labels) -> Scalar:
        """Return the variance between clusters of mean and of covariance of posterior means.

        Each is the covariance over clips between the average of a clip's cluster and the clip's own
        value, in units of the variance within clusters. The averages are constants, so the penalty
        can be negative while they lag behind. It grows from 0 while the averages are being filled:
        covariances of few batches are mostly sampling error.
        """
        filled = (self.updates.mean() * (1 - self.decay)).clamp(max=1)
        products = self._products(means, clusters)
        size = means.shape[1]
        variances = self.covariances.view(-1, size, size).diagonal(dim1=1, dim2=2)
        unit = variances.mean().clamp(min=LEAST_VARIANCE)
        return filled * (
            _covariance(self.means[clusters], means) / unit
            + _covariance(self.covariances[clusters], products) / unit**2
        )

    def _products(self, means: StaticCode, clusters: Labels) -> Float[Tensor, "clip products"]:
        """Return the outer product of each clip's deviation from its cluster's mean, flattened."""
        deviations = means - self.means[clusters]
        return (deviations[:, :, None] * deviations[:, None, :]).flatten(1)


def _covariance(one: Float[Tensor, "clip n"], other: Float[Tensor, "clip n"]) -> Scalar:
    """Return the covariance over clips, summed over dimensions."""
    return ((one - one.mean(dim=0)) * other).sum(dim=1).mean()


def same_cluster(
    clusters: Labels, probability: float, generator: Generator
) -> Int[Tensor, " batch"]:
    """Return for each clip, with this probability, another clip of its motion cluster, else itself.

    Decoding a clip from the z_t of such a clip (same-cluster swap) keeps appearance out of z_t.
    """
    size, device = len(clusters), clusters.device
    alike = (clusters[:, None] == clusters) & ~torch.eye(size, dtype=torch.bool, device=device)
    draws = torch.rand(size, size, generator=generator, device=device)
    other = draws.masked_fill(~alike, -1).argmax(dim=1)
    exchanged = torch.rand(size, generator=generator, device=device) < probability
    return torch.where(exchanged & alike.any(dim=1), other, torch.arange(size, device=device))
