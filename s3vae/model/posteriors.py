"""q(z_f | x_1:T) and q(z_t | x_<=t), both over the features of single frames."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from s3vae.distributions import Gaussian
from s3vae.tensors import Features

FIRST_LOG_STD = -2.0
LOG_STD_RANGE = (-7.0, 3.0)


class GaussianHead(nn.Module):
    """Features to a Gaussian; narrow at first, so that codes carry something at once."""

    def __init__(self, features: int, dim: int) -> None:
        super().__init__()
        self.mean = nn.Linear(features, dim)
        self.log_std = nn.Linear(features, dim)
        nn.init.constant_(self.log_std.bias, FIRST_LOG_STD)

    def forward(self, features: Float[Tensor, "*batch feature"]) -> Gaussian:
        """One Gaussian per feature vector."""
        return Gaussian(self.mean(features), self.log_std(features).clamp(*LOG_STD_RANGE).exp())


class RecurrentStatic(nn.Module):
    """q(z_f | x_1:T) as in the paper: a bi-LSTM's last forward and first backward state."""

    def __init__(self, features: int, recurrent: int, static: int) -> None:
        super().__init__()
        self.recurrent = nn.LSTM(features, recurrent, batch_first=True, bidirectional=True)
        self.head = GaussianHead(2 * recurrent, static)

    def forward(self, features: Features) -> Gaussian:
        """One Gaussian per clip."""
        forward, backward = self.recurrent(features)[0].chunk(2, dim=-1)
        last: Gaussian = self.head(torch.cat([forward[:, -1], backward[:, 0]], dim=-1))
        return last


class PooledStatic(nn.Module):
    """q(z_f | x_1:T) from the mean over frames of an MLP: blind to their order by construction."""

    def __init__(self, features: int, hidden: int, static: int) -> None:
        super().__init__()
        self.each = nn.Sequential(nn.Linear(features, hidden), nn.LeakyReLU(0.2))
        self.each.append(nn.Linear(hidden, hidden))
        self.head = GaussianHead(hidden, static)

    def forward(self, features: Features) -> Gaussian:
        """One Gaussian per clip."""
        pooled: Gaussian = self.head(self.each(features).mean(dim=1))
        return pooled


class DynamicPosterior(nn.Module):
    """q(z_t | x_<=t) by an LSTM; with `causal` false q(z_t | x_1:T), an RNN over a bi-LSTM.

    Framewise, q(z_t | x_t): an MLP of each frame (the factorised posterior of Li & Mandt 2018).
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
        """One Gaussian per frame."""
        if self.each is not None:
            states = self.each(features)
        elif self.past is not None:
            states = self.past(features)[0]
        else:
            states = self.after(self.whole(features)[0])[0]
        gaussians: Gaussian = self.head(states)
        return gaussians
