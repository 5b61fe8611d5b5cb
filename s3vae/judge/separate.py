"""A judge that reads each kind of factor from what the other kind does not change."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from s3vae.judge.network import RECURRENT, Judge, Logits, SpatialPool, convolution
from s3vae.tensors import Video, deviations, mix_colours

COLOUR_JITTER = 0.8
"""The strength of the random change of colours from which dynamic factors are learned."""


class SeparateJudge(Judge):
    """Static factors from small windows, dynamic ones from whole clips in any colours.

    Windows of 10x10 pixels, pooled over space and time, show neither their places nor their order
    (Brendel and Bethge, ICLR 2019). Dynamic factors are learned in other colours with each step,
    from frames and their deviations from the clip's mean. A judge of whole clips as they are reads
    a pair of values that training never shows as one that it does.
    """

    def __init__(
        self, factors: Mapping[str, int], channels: int, width: int, static: Sequence[str]
    ) -> None:
        dynamic = {name: size for name, size in factors.items() if name not in static}
        super().__init__(dynamic, 2 * channels, width)
        self.sizes = {
            "factors": dict(factors),
            "channels": channels,
            "width": width,
            "static": list(static),
        }
        sizes = channels, 2 * width, 4 * width, 8 * width
        self.windows = nn.Sequential(
            *convolution(*sizes[:2]),
            *convolution(*sizes[1:3]),
            *convolution(*sizes[2:], size=1, stride=1),
            SpatialPool(),
        )
        self.static_heads = nn.ModuleDict(
            {name: nn.Linear(2 * sizes[-1], factors[name]) for name in static}
        )

    def learn(self, video: Video, generator: Generator) -> Logits:
        """Return the logits, those of dynamic factors in other colours."""
        return self.logits(self.both(video, mix_colours(video, COLOUR_JITTER, generator)))

    def features(self, video: Video) -> Float[Tensor, "batch summary"]:
        """Return the features of clips from which every factor is read, first of static ones."""
        return self.both(video, video)

    def both(self, still: Video, moving: Video) -> Float[Tensor, "batch summary"]:
        """Return the features of the windows of one clip, then those of the motion of another."""
        frames: Tensor = self.windows(still.flatten(0, 1))
        appearance = self.dropout(frames.reshape(*still.shape[:2], -1).mean(dim=1))
        motion = super().features(torch.cat([moving, deviations(moving)], dim=2))
        return torch.cat([appearance, motion], dim=-1)

    def logits(self, features: Float[Tensor, "batch summary"]) -> Logits:
        """Return the logits of every factor from the features of clips."""
        appearance, motion = features.tensor_split([-2 * RECURRENT], dim=-1)
        static = {name: head(appearance) for name, head in self.static_heads.items()}
        return {**static, **super().logits(motion)}
