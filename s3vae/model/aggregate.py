"""The aggregate posterior of z_f, told by more clips than a batch has."""

import torch
from torch import Tensor, nn

from s3vae.tensors import Scalar, StaticCode


class RememberedAggregate(nn.Module):
    """Running first and second moments of drawn z_f, to be those of N(0, I).

    A batch's own covariance is off by chance, the more the larger codes are, so of few clips it
    asks for small ones (`losses/independence.py`); what is remembered of others does not.
    """

    mean: Tensor
    second: Tensor
    seen: Tensor

    def __init__(self, static: int, decay: float) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("mean", torch.zeros(static))
        self.register_buffer("second", torch.eye(static))
        self.register_buffer("seen", torch.zeros(()))

    def mismatch(self, code: StaticCode) -> Scalar:
        """Squares of the mean and of second moment - I, as remembered with this batch.

        The gradient is the one that these squares give this batch's moments. The first batches are
        averaged (decay grows from 0).
        """
        own = code.mean(dim=0), code.mT @ code / len(code)
        self.remember(*(moment.detach() for moment in own))
        mean, second = (
            kept + (now - now.detach())
            for kept, now in zip((self.mean, self.second), own, strict=True)
        )
        target = torch.eye(len(mean), device=mean.device)
        asked: Tensor = (second - target).square().sum() + mean.square().sum()
        return asked

    def remember(self, mean: Tensor, second: Tensor) -> None:
        """Move the memory towards the moments of a batch."""
        share = 1 - (self.seen / (self.seen + 1)).clamp(max=self.decay)
        self.mean, self.second = self.mean.lerp(mean, share), self.second.lerp(second, share)
        self.seen = self.seen + 1
