"""What `baseline-sv` is told: the true factors, each read off the code that should hold it."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from s3vae.tensors import DynamicCode, Scalar, StaticCode


def label_of(factor: str) -> str:
    """The name of a factor's labels among what is known of a batch."""
    return f"label {factor}"


class Supervision(nn.Module):
    """One linear layer per factor: from z_f for a static factor, from each frame's z_t otherwise.

    `static_factors` and `dynamic_factors` give the number of values of each factor. Raises
    ValueError if there is none.
    """

    def __init__(
        self,
        static_factors: Mapping[str, int],
        dynamic_factors: Mapping[str, int],
        static: int,
        dynamic: int,
    ) -> None:
        super().__init__()
        if not static_factors and not dynamic_factors:
            msg = "supervision needs a data set that declares factors: leave its weight at 0"
            raise ValueError(msg)
        self.static_factors = set(static_factors)
        sizes = {name: (static, values) for name, values in static_factors.items()}
        sizes |= {name: (dynamic, values) for name, values in dynamic_factors.items()}
        self.heads = nn.ModuleDict({name: nn.Linear(*size) for name, size in sizes.items()})

    def forward(
        self, static: StaticCode, dynamic: DynamicCode, known: Mapping[str, Tensor]
    ) -> Scalar:
        """Cross-entropy, a sum over factors, mean over clips and, of dynamic ones, over frames."""
        time = dynamic.shape[1]
        losses = []
        for name, head in self.heads.items():
            label = known[label_of(name)]
            if name in self.static_factors:
                losses.append(cross_entropy(head(static), label))
            else:
                each_frame = label.repeat_interleave(time)
                losses.append(cross_entropy(head(dynamic.flatten(0, 1)), each_frame))
        return torch.stack(losses).sum()
