"""The learned prior of motion, p(z_t | z_<t)."""

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from s3vae.distributions import Gaussian
from s3vae.model.posteriors import GaussianHead
from s3vae.tensors import DynamicCode, Labels

State = tuple[Tensor, Tensor] | None
LAYERS = 2


class DynamicPrior(nn.Module):
    """Two stacked LSTM layers that map each code to the Gaussian of the next one.

    The LSTM starts from a zero state and z_0 = 0. With motion clusters, z_0 is instead one learned
    code per cluster, drawn with the cluster's frequency (`shares`). A single Gaussian over the
    first z_t of all motions would also cover the gaps between clusters, where there are no clips.
    """

    shares: Tensor

    def __init__(self, dynamic: int, recurrent: int, clusters: int = 1) -> None:
        super().__init__()
        self.dynamic = dynamic
        self.starts = nn.Embedding(clusters, dynamic) if clusters > 1 else None
        self.register_buffer("shares", torch.full((clusters,), 1 / clusters))
        self.cells = nn.LSTM(dynamic, recurrent, num_layers=LAYERS, batch_first=True)
        self.head = GaussianHead(recurrent, dynamic)
        nn.init.zeros_(self.head.log_std.bias)

    def step(
        self, before: Float[Tensor, "batch time dynamic"], state: State = None
    ) -> tuple[Gaussian, State]:
        """Return the Gaussian of the code that follows each of these, and the LSTM's new state."""
        hidden, state = self.cells(before, state)
        return self.head(hidden), state

    def forward(self, codes: DynamicCode, clusters: Labels) -> Gaussian:
        """Return p(z_t | z_<t) of every frame given the true previous codes (teacher forcing)."""
        before = torch.cat([self.start(clusters), codes[:, :-1]], dim=1)
        return self.step(before)[0]

    def start(self, clusters: Labels) -> Float[Tensor, "batch 1 dynamic"]:
        """Return z_0 for the cluster of every clip."""
        if self.starts is None:
            return torch.zeros(len(clusters), 1, self.dynamic, device=clusters.device)
        codes: Tensor = self.starts(clusters)[:, None]
        return codes

    def sample(self, batch: int, time: int, generator: Generator) -> DynamicCode:
        """Draw motions: a cluster for z_0, then each code conditioned on those drawn before it."""
        clusters = torch.multinomial(self.shares, batch, replacement=True, generator=generator)
        return self._drawn(self.start(clusters), None, time, generator)

    def continuation(
        self, codes: DynamicCode, time: int, generator: Generator
    ) -> Float[Tensor, "batch later dynamic"]:
        """Draw the `time` codes that follow others, from the cluster that explains those best."""
        every = torch.arange(len(self.shares), device=codes.device)[:, None].expand(-1, len(codes))
        likelihood = torch.stack(
            [self(codes, each).log_density(codes).sum(dim=1) for each in every]
        )
        before = torch.cat([self.start(likelihood.argmax(dim=0)), codes[:, :-1]], dim=1)
        _, state = self.step(before)
        return self._drawn(codes[:, -1:], state, time, generator)

    def _drawn(
        self,
        code: Float[Tensor, "batch 1 dynamic"],
        state: State,
        time: int,
        generator: Generator,
    ) -> Float[Tensor, "batch later dynamic"]:
        codes = []
        for _ in range(time):
            following, state = self.step(code, state)
            code = following.sample(generator)
            codes.append(code)
        return torch.cat(codes, dim=1)
