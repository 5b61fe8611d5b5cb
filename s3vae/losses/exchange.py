"""Motion exchange: in training, shift z_f between motion clusters before it is decoded.

Clips of one cluster move alike, so differences between the cluster means of z_f are information
about motion. Decoding from z_f - m(own cluster) + m(other cluster) makes this information wrong,
so the decoder has to take motion from z_t, and the KL term then removes it from z_f.
"""

import torch
from jaxtyping import Int
from torch import Generator, Tensor, nn

from s3vae.tensors import CodePair, Labels, StaticCode


class MotionExchange(nn.Module):
    """Exponential moving averages of the mean of z_f per motion cluster, and what they are for.

    `same_cluster` is the probability of a same-cluster swap beside the exchange.
    """

    means: Tensor
    updates: Tensor

    def __init__(self, clusters: int, static: int, decay: float, same_cluster: float = 0.0) -> None:
        super().__init__()
        self.decay, self.same_cluster = decay, same_cluster
        self.register_buffer("means", torch.zeros(clusters, static))
        self.register_buffer("updates", torch.zeros(clusters))

    def forward(
        self, codes: CodePair, means: StaticCode, clusters: Labels, generator: Generator
    ) -> CodePair:
        """Return the codes to decode: z_f shifted to the cluster of a random clip of the batch.

        `means` are the posterior means of z_f, which update the averages first.
        """
        static, dynamic = codes
        self.update(means.detach(), clusters)
        others = torch.randperm(len(clusters), generator=generator, device=clusters.device)
        static = self.shift_to_cluster(static, clusters, clusters[others])
        return static, dynamic[same_cluster(clusters, self.same_cluster, generator)]

    @torch.no_grad()
    def update(self, means: StaticCode, clusters: Labels) -> None:
        """Move each cluster's average towards the posterior means of its clips in this batch.

        The first batches count alike.
        """
        counts = torch.bincount(clusters, minlength=len(self.means))
        sums = torch.zeros_like(self.means).index_add_(0, clusters, means)
        present = counts > 0
        batch_means = sums[present] / counts[present, None]
        updates = self.updates[present, None]
        decay = (updates / (updates + 1)).clamp(max=self.decay)
        self.means[present] = decay * self.means[present] + (1 - decay) * batch_means
        self.updates += present

    def shift_to_cluster(self, code: StaticCode, source: Labels, target: Labels) -> StaticCode:
        """Return z_f - m(source) + m(target); no gradient reaches the means."""
        return code - self.means[source] + self.means[target]


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
