"""p(z_t | z_<t): how motion goes on."""

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from s3vae.distributions import Gaussian
from s3vae.model.posteriors import GaussianHead
from s3vae.tensors import DynamicCode

State = tuple[Tensor, Tensor] | None


class DynamicPrior(nn.Module):
    """Two stacked LSTM cells from a code to the Gaussian of the next; z_0 = 0, zero state."""

    def __init__(self, dynamic: int, recurrent: int) -> None:
        super().__init__()
        self.dynamic = dynamic
        self.cells = nn.LSTM(dynamic, recurrent, num_layers=2, batch_first=True)
        self.head = GaussianHead(recurrent, dynamic)
        nn.init.zeros_(self.head.log_std.bias)

    def step(
        self, before: Float[Tensor, "batch time dynamic"], state: State = None
    ) -> tuple[Gaussian, State]:
        """Of one or more codes in a row, the Gaussian of each one's successor; the state after."""
        hidden, state = self.cells(before, state)
        return self.head(hidden), state

    def forward(self, codes: DynamicCode) -> Gaussian:
        """p(z_t | z_<t) of every frame, given the true codes before it (teacher forcing)."""
        before = torch.cat([torch.zeros_like(codes[:, :1]), codes[:, :-1]], dim=1)
        return self.step(before)[0]

    def sample(self, batch: int, time: int, generator: Generator) -> DynamicCode:
        """New motions: every code is drawn given the drawn ones before it."""
        code = torch.zeros(batch, 1, self.dynamic, device=generator.device)
        state: State = None
        codes = []
        for _ in range(time):
            following, state = self.step(code, state)
            code = following.sample(generator)
            codes.append(code)
        return torch.cat(codes, dim=1)
