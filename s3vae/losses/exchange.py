"""Motion exchange: what z_f knows of the motion is made wrong, so the decoder stops asking it."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from s3vae.tensors import Labels, Scalar, StaticCode

LEAST_VARIANCE = 1e-3
"""Below which codes that hardly differ are not magnified when they are priced."""


class MotionExchange(nn.Module):
    """Running moments of z_f for every motion cluster, and the shift from one cluster to another.

    Clips of one cluster move alike, so what their mean z_f differs in from others' is motion.
    A clip is decoded, in training only, from z_f moved from its own cluster's mean to another's.
    What differs in means and covariances may have a price.
    """

    means: Tensor
    covariances: Tensor
    seen: Tensor

    def __init__(self, clusters: int, static: int, decay: float) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("means", torch.zeros(clusters, static))
        self.register_buffer("covariances", torch.zeros(clusters, static * static))
        self.register_buffer("seen", torch.zeros(clusters))

    @torch.no_grad()
    def observe(self, means: StaticCode, clusters: Labels) -> None:
        """Move each cluster's moments towards those of the posterior means of its clips here.

        The first batches are averaged (decay grows from 0), so no mean remembers its zero start.
        Deviations are those from the means that this batch has moved already.
        """
        self._move(self.means, means, clusters)
        self._move(self.covariances, self._products(means, clusters), clusters)
        self.seen += torch.bincount(clusters, minlength=len(self.seen)) > 0

    def _move(self, memory: Tensor, values: Tensor, clusters: Labels) -> None:
        counts = torch.bincount(clusters, minlength=len(memory)).float()
        sums = torch.zeros_like(memory).index_add_(0, clusters, values)
        present = counts > 0
        batch_means = sums[present] / counts[present, None]
        decay = (self.seen[present] / (self.seen[present] + 1)).clamp(max=self.decay)[:, None]
        memory[present] = decay * memory[present] + (1 - decay) * batch_means

    def forward(self, code: StaticCode, clusters: Labels, towards: Labels) -> StaticCode:
        """z_f - m(own cluster) + m(other cluster); no gradient reaches the means."""
        return code - self.means[clusters] + self.means[towards]

    def between_clusters(self, means: StaticCode, clusters: Labels) -> Scalar:
        """How far clusters are apart in the mean and in the covariance of posterior means of z_f.

        Either is a variance between clusters, summed over its numbers, taken as the covariance
        (over clips) of what is remembered of a clip's cluster with the clip's own. The memory is
        held fixed, so a clip is drawn against its cluster's deviation from the others; while it
        lags behind, the price can be below 0. Codes are measured in units of their deviation
        within clusters: small codes are no cheaper.

        The price rises to its height while the memory fills, in the mean over clusters: a
        covariance that few batches told is mostly chance, and codes would flee from that.
        """
        filled = (self.seen.mean() * (1 - self.decay)).clamp(max=1)
        products = self._products(means, clusters)
        size = means.shape[1]
        variances = self.covariances.view(-1, size, size).diagonal(dim1=1, dim2=2)
        unit = variances.mean().clamp(min=LEAST_VARIANCE)
        return filled * (
            _covariance(self.means[clusters], means) / unit
            + _covariance(self.covariances[clusters], products) / unit**2
        )

    def _products(self, means: StaticCode, clusters: Labels) -> Float[Tensor, "clip products"]:
        """Of a clip's deviation from its cluster's mean, each number times each."""
        deviations = means - self.means[clusters]
        return (deviations[:, :, None] * deviations[:, None, :]).flatten(1)


def _covariance(one: Float[Tensor, "clip n"], other: Float[Tensor, "clip n"]) -> Scalar:
    """Of two vectors' numbers, over clips, summed."""
    return ((one - one.mean(dim=0)) * other).sum(dim=1).mean()
