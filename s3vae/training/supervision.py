"""What `baseline-sv` is told: the true factors, each read off the code that should hold it."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from s3vae.data.clips import Factor
from s3vae.tensors import DynamicCode, Scalar, StaticCode


def label_of(factor: str) -> str:
    """The name of a factor's labels among what is known of a batch."""
    return f"label {factor}"


class Supervision(nn.Module):
    """One linear layer a factor: from z_f for a static one, from the z_t of each frame else.

    Raises ValueError if no factor is declared.
    """

    def __init__(self, factors: Sequence[Factor], static: int, dynamic: int) -> None:
        super().__init__()
        if not factors:
            msg = "supervision needs a data set that declares factors: leave its weight at 0"
            raise ValueError(msg)
        self.kinds = {factor.name: factor.kind for factor in factors}
        self.heads = nn.ModuleDict(
            {
                factor.name: nn.Linear(
                    static if factor.kind == "static" else dynamic, len(factor.values)
                )
                for factor in factors
            }
        )

    def forward(
        self, static: StaticCode, dynamic: DynamicCode, known: Mapping[str, Tensor]
    ) -> Scalar:
        """Cross-entropy, a sum over factors, mean over clips and, of dynamic ones, over frames."""
        time = dynamic.shape[1]
        losses = []
        for name, head in self.heads.items():
            label = known[label_of(name)]
            if self.kinds[name] == "static":
                losses.append(cross_entropy(head(static), label))
            else:
                each_frame = label.repeat_interleave(time)
                losses.append(cross_entropy(head(dynamic.flatten(0, 1)), each_frame))
        return torch.stack(losses).sum()
