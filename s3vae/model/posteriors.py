"""The posteriors q(z_f | x_1:T) and q(z_t | x_<=t), computed from the features of frames."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from s3vae.distributions import Gaussian
from s3vae.tensors import Features

FIRST_LOG_STD = -2.0
LOG_STD_RANGE = (-7.0, 3.0)


class GaussianHead(nn.Module):
    """A Gaussian from a feature vector, with a small initial deviation so that codes inform."""

    def __init__(self, features: int, dim: int) -> None:
        super().__init__()
        self.mean = nn.Linear(features, dim)
        self.log_std = nn.Linear(features, dim)
        nn.init.constant_(self.log_std.bias, FIRST_LOG_STD)

    def forward(self, features: Float[Tensor, "*batch feature"]) -> Gaussian:
        """Return one Gaussian per feature vector."""
        return Gaussian(self.mean(features), self.log_std(features).clamp(*LOG_STD_RANGE).exp())


class RecurrentStatic(nn.Module):
    """q(z_f | x_1:T) as in the paper: from the final states of a bi-LSTM in both directions."""

    def __init__(self, features: int, recurrent: int, static: int) -> None:
        super().__init__()
        self.recurrent = nn.LSTM(features, recurrent, batch_first=True, bidirectional=True)
        self.head = GaussianHead(2 * recurrent, static)

    def forward(self, features: Features) -> Gaussian:
        """One Gaussian per clip."""
        forward, backward = self.recurrent(features)[0].chunk(2, dim=-1)
        posterior: Gaussian = self.head(torch.cat([forward[:, -1], backward[:, 0]], dim=-1))
        return posterior


class PooledStatic(nn.Module):
    """q(z_f | x_1:T) from the mean over frames of an MLP, invariant to the order of frames."""

    def __init__(self, features: int, hidden: int, static: int) -> None:
        super().__init__()
        self.each = nn.Sequential(nn.Linear(features, hidden), nn.LeakyReLU(0.2))
        self.each.append(nn.Linear(hidden, hidden))
        self.head = GaussianHead(hidden, static)

    def forward(self, features: Features) -> Gaussian:
        """One Gaussian per clip."""
        posterior: Gaussian = self.head(self.each(features).mean(dim=1))
        return posterior


class DynamicPosterior(nn.Module):
    """q(z_t | x_<=t) by an LSTM, or q(z_t | x_1:T) by an RNN over a bi-LSTM if not `causal`.

    If `framewise`, q(z_t | x_t) by an MLP (the factorised posterior of Li & Mandt, ICML 2018).
    """

    def __init__(
        self,
        features: int,
        recurrent: int,
        dynamic: int,
        *,
        causal: bool,
        framewise: bool = False,
    ) -> None:
        super().__init__()
        self.past: nn.LSTM | None = None
        self.each: nn.Sequential | None = None
        if framewise:
            self.each = nn.Sequential(nn.Linear(features, recurrent), nn.LeakyReLU(0.2))
        elif causal:
            self.past = nn.LSTM(features, recurrent, batch_first=True)
        else:
            self.whole = nn.LSTM(features, recurrent, batch_first=True, bidirectional=True)
            self.after = nn.RNN(2 * recurrent, recurrent, batch_first=True)
        self.head = GaussianHead(recurrent, dynamic)

    def forward(self, features: Features) -> Gaussian:
        """Return one Gaussian per frame."""
        if self.each is not None:
            states = self.each(features)
        elif self.past is not None:
            states = self.past(features)[0]
        else:
            states = self.after(self.whole(features)[0])[0]
        posterior: Gaussian = self.head(states)
        return posterior
