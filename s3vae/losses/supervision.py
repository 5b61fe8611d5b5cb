"""The supervised loss of `baseline-sv`: each factor is classified from the code of its kind."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from s3vae.tensors import DynamicCode, Scalar, StaticCode


def label_of(factor: str) -> str:
    """Return the name of a factor's labels among the annotations of a batch."""
    return f"label {factor}"


class Supervision(nn.Module):
    """One linear classifier per factor: of z_f for a static factor, of each z_t for a dynamic one.

    `static_factors` and `dynamic_factors` map factors to their numbers of values. Raises ValueError
    if there are no factors.
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
            msg = "supervision needs a data set that declares factors: use another method"
            raise ValueError(msg)
        self.static_factors = set(static_factors)
        sizes = {name: (static, values) for name, values in static_factors.items()}
        sizes |= {name: (dynamic, values) for name, values in dynamic_factors.items()}
        self.heads = nn.ModuleDict({name: nn.Linear(*size) for name, size in sizes.items()})

    def forward(
        self, static: StaticCode, dynamic: DynamicCode, known: Mapping[str, Tensor]
    ) -> Scalar:
        """Return the cross-entropy: sum over factors, mean over clips and, if dynamic, frames."""
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
