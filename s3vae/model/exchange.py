"""Motion exchange: what z_f knows of the motion is made wrong, so the decoder stops asking it."""

import torch
from torch import Tensor, nn

from s3vae.tensors import Labels, StaticCode


class MotionExchange(nn.Module):
    """A running mean of z_f for every motion cluster, and the shift from one cluster to another.

    Clips of one cluster move alike, so what their mean z_f differs in from others' is motion.
    A clip is decoded, in training only, from z_f moved from its own cluster's mean to another's.
    """

    means: Tensor
    seen: Tensor

    def __init__(self, clusters: int, static: int, decay: float) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("means", torch.zeros(clusters, static))
        self.register_buffer("seen", torch.zeros(clusters))

    @torch.no_grad()
    def observe(self, means: StaticCode, clusters: Labels) -> None:
        """Move each cluster's mean towards the posterior means of its clips of this batch.

        The first batches are averaged (decay grows from 0), so no mean remembers its zero start.
        """
        counts = torch.bincount(clusters, minlength=len(self.means)).float()
        sums = torch.zeros_like(self.means).index_add_(0, clusters, means)
        present = counts > 0
        batch_means = sums[present] / counts[present, None]
        decay = (self.seen[present] / (self.seen[present] + 1)).clamp(max=self.decay)[:, None]
        self.means[present] = decay * self.means[present] + (1 - decay) * batch_means
        self.seen[present] += 1

    def forward(self, code: StaticCode, clusters: Labels, towards: Labels) -> StaticCode:
        """z_f - m(own cluster) + m(other cluster); no gradient reaches the means."""
        return code - self.means[clusters] + self.means[towards]
