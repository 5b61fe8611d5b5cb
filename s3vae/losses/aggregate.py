"""The aggregate posterior of z_f, told by more clips than a batch has."""

import torch
from torch import Tensor, nn

from s3vae.tensors import Scalar, StaticCode


class AggregateMemory(nn.Module):
    """Running first and second moments of drawn z_f, to be those of N(0, I).

    A batch's own covariance is off by chance, the more the larger codes are, so of few clips it
    asks for small ones (`losses/independence.py`); what is remembered of many hardly does.
    """

    mean: Tensor
    second_moment: Tensor
    seen: Tensor

    def __init__(self, static: int, decay: float) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("mean", torch.zeros(static))
        self.register_buffer("second_moment", torch.eye(static))
        self.register_buffer("seen", torch.zeros(()))

    @torch.no_grad()
    def observe(self, code: StaticCode) -> None:
        """Move the memory towards a batch's moments; first batches are averaged, decay grows."""
        share = 1 - (self.seen / (self.seen + 1)).clamp(max=self.decay)
        mean, second_moment = moments(code)
        self.mean = self.mean.lerp(mean, share)
        self.second_moment = self.second_moment.lerp(second_moment, share)
        self.seen = self.seen + 1

    def mismatch(self, code: StaticCode) -> Scalar:
        """Squares of the mean and of second moment - I, as remembered.

        The gradient is the one that these squares give the moments of the batch that was observed
        last. It is a part of what is remembered, so that codes which run away are held at once;
        its own chance asks for a little less than I: of 16 clips in 32 numbers, at a decay of .95,
        for a variance of .9.
        """
        mean, second_moment = (
            kept + (own - own.detach())
            for kept, own in zip((self.mean, self.second_moment), moments(code), strict=True)
        )
        identity = torch.eye(len(mean), device=mean.device)
        return (second_moment - identity).square().sum() + mean.square().sum()


def moments(code: StaticCode) -> tuple[Tensor, Tensor]:
    """The mean, and the mean product of each number with each."""
    return code.mean(dim=0), code.mT @ code / len(code)
