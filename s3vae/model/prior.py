"""p(z_t | z_<t): how motion goes on."""

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from s3vae.distributions import Gaussian
from s3vae.model.posteriors import GaussianHead
from s3vae.tensors import DynamicCode, Labels

State = tuple[Tensor, Tensor] | None


class DynamicPrior(nn.Module):
    """Two stacked LSTM cells from a code to the Gaussian of the next; z_0 = 0, zero state.

    Where motions fall into clusters, z_0 is one of as many learned codes, each as likely as its
    cluster is frequent: one Gaussian over the first z_t of all motions would also cover what lies
    between them, where no clip is.
    """

    shares: Tensor

    def __init__(self, dynamic: int, recurrent: int, clusters: int = 1) -> None:
        super().__init__()
        self.dynamic = dynamic
        self.starts = nn.Embedding(clusters, dynamic) if clusters > 1 else None
        self.register_buffer("shares", torch.full((clusters,), 1 / clusters))
        self.cells = nn.LSTM(dynamic, recurrent, num_layers=2, batch_first=True)
        self.head = GaussianHead(recurrent, dynamic)
        nn.init.zeros_(self.head.log_std.bias)

    def step(
        self, before: Float[Tensor, "batch time dynamic"], state: State = None
    ) -> tuple[Gaussian, State]:
        """Of one or more codes in a row, the Gaussian of each one's successor; the state after."""
        hidden, state = self.cells(before, state)
        return self.head(hidden), state

    def forward(self, codes: DynamicCode, clusters: Labels) -> Gaussian:
        """p(z_t | z_<t) of every frame, given the true codes before it (teacher forcing)."""
        before = torch.cat([self.start(clusters), codes[:, :-1]], dim=1)
        return self.step(before)[0]

    def start(self, clusters: Labels) -> Float[Tensor, "batch 1 dynamic"]:
        """z_0 of clips of these clusters."""
        if self.starts is None:
            return torch.zeros(len(clusters), 1, self.dynamic, device=clusters.device)
        codes: Tensor = self.starts(clusters)[:, None]
        return codes

    def sample(self, batch: int, time: int, generator: Generator) -> DynamicCode:
        """New motions: z_0 of a drawn cluster, then every code given the drawn ones before it."""
        clusters = torch.multinomial(self.shares, batch, replacement=True, generator=generator)
        code = self.start(clusters)
        state: State = None
        codes = []
        for _ in range(time):
            following, state = self.step(code, state)
            code = following.sample(generator)
            codes.append(code)
        return torch.cat(codes, dim=1)
