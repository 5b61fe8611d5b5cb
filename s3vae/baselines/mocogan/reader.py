"""A network that reads the categories of a clip wherever and whenever its objects are."""

from collections.abc import Mapping
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from s3vae.model.layers import SLOPE
from s3vae.tensors import Video

FEATURES = 128


class CategoryReader(nn.Module):
    """A classifier of the categories of clips; maxima and means replace places and times."""

    def __init__(self, channels: int, width: int, categories: Mapping[str, int]) -> None:
        super().__init__()
        kernels = (4, 2, 1), (4, 2, 1), (4, 2, 1), (3, 1, 1)
        layers: list[nn.Module] = []
        for sizes, kernel in zip(
            pairwise((channels, width, 2 * width, 4 * width, FEATURES)), kernels, strict=True
        ):
            layers += [nn.Conv2d(*sizes, *kernel, bias=False), nn.BatchNorm2d(sizes[1])]
            layers += [nn.LeakyReLU(SLOPE)]
        self.places = nn.Sequential(*layers)
        self.frame, self.clip = (
            nn.Sequential(nn.Linear(2 * FEATURES, FEATURES), nn.LeakyReLU(SLOPE)) for _ in range(2)
        )
        self.heads = nn.ModuleDict({k: nn.Linear(FEATURES, n) for k, n in categories.items()})

    def forward(self, video: Video) -> dict[str, Float[Tensor, "batch value"]]:
        """Return the logits of every category."""
        frames = self.frame(pooled(self.places(video.flatten(0, 1)).flatten(2)))
        features = self.clip(pooled(frames.unflatten(0, video.shape[:2]).mT))
        return {name: head(features) for name, head in self.heads.items()}


def pooled(
    features: Float[Tensor, "sample feature place"],
) -> Float[Tensor, "sample both"]:
    """Return the maximum and the mean of every feature over places or times."""
    return torch.cat([features.amax(dim=-1), features.mean(dim=-1)], dim=-1)
