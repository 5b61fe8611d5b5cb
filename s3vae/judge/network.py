"""The network of the judge, a classifier of every factor of a clip."""

from collections.abc import Mapping
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, instance_norm

from s3vae.tensors import Video

Logits = Mapping[str, Float[Tensor, "batch value"]]
FEATURES, RECURRENT, DROPOUT = 128, 128, 0.2
PLACES = 4, 4
"""Rows and columns of the last map of frames of 64x64."""


class Judge(nn.Module):
    """A frame encoder, a bidirectional LSTM over time, and a linear head per factor.

    A pooled judge is invariant to position and order: maximum and mean replace the LSTM. With
    `differences` the LSTM also reads each feature's deviation from its mean over the clip, in
    standard deviations. Without it, small motion of a large object is learned late or never.
    """

    def __init__(
        self,
        factors: Mapping[str, int],
        channels: int,
        width: int,
        pooled: bool = False,
        differences: bool = False,
    ) -> None:
        super().__init__()
        self.differences = differences
        self.sizes = {
            "factors": dict(factors),
            "channels": channels,
            "width": width,
            "pooled": pooled,
        }
        if differences:  # absent from the files of judges that predate the option
            self.sizes["differences"] = True
        self.encoder = (pooled_encoder if pooled else spatial_encoder)(channels, width)
        self.recurrent: nn.LSTM | None = None
        if pooled:
            self.whenever = nn.Sequential(nn.Linear(4 * RECURRENT, 2 * RECURRENT), nn.ReLU())
        else:
            inputs = 2 * FEATURES if differences else FEATURES
            self.recurrent = nn.LSTM(inputs, RECURRENT, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(DROPOUT)
        self.heads = nn.ModuleDict({k: nn.Linear(2 * RECURRENT, n) for k, n in factors.items()})

    def forward(self, video: Video) -> Logits:
        """Return the logits of every factor over its values."""
        return self.logits(self.features(video))

    def learn(self, video: Video, generator: Generator) -> Logits:
        """Return the logits in training; `generator` draws what a network changes about clips."""
        return self.forward(video)

    def features(self, video: Video) -> Float[Tensor, "batch summary"]:
        """Return the features of clips from which every factor is read."""
        features = self.encoder(video.flatten(0, 1)).unflatten(0, video.shape[:2])
        if self.recurrent is not None:
            return self.summarize(features)
        pooled = torch.cat([features.amax(dim=1), features.mean(dim=1)], dim=-1)
        summary: Tensor = self.whenever(self.dropout(pooled))
        return summary

    def logits(self, features: Float[Tensor, "batch summary"]) -> Logits:
        """Return the logits of every factor from the features of clips."""
        return {name: head(features) for name, head in self.heads.items()}

    def summarize(
        self, features: Float[Tensor, "batch time features"]
    ) -> Float[Tensor, "batch summary"]:
        """Return the mean of the LSTM's states over time."""
        assert self.recurrent is not None
        inputs = self.dropout(features.relu())
        if self.differences:
            inputs = torch.cat([inputs, instance_norm(features.mT).mT], dim=-1)
        summary: Tensor = self.recurrent(inputs)[0].mean(dim=1)
        return summary

    @torch.no_grad()
    def probabilities(self, video: Video) -> dict[str, Float[Tensor, "batch value"]]:
        """Return the probabilities of every factor over its values, in double precision."""
        return {name: logits.double().softmax(-1) for name, logits in self(video).items()}


def spatial_encoder(channels: int, width: int) -> nn.Sequential:
    """Return an encoder of frames whose features depend on position."""
    widths = [channels, width, 2 * width, 4 * width, 4 * width]
    layers = [layer for sizes in pairwise(widths) for layer in convolution(*sizes)]
    return nn.Sequential(*layers, FlatPlaces(), nn.Linear(16 * widths[-1], FEATURES))


def pooled_encoder(channels: int, width: int) -> nn.Sequential:
    """Return an encoder of frames with maximum and mean over positions."""
    widths = [channels, width, 2 * width, 4 * width]
    layers = [layer for sizes in pairwise(widths) for layer in convolution(*sizes)]
    layers += convolution(widths[-1], FEATURES, size=3, stride=1)
    return nn.Sequential(*layers, SpatialPool(), nn.Linear(2 * FEATURES, 2 * RECURRENT), nn.ReLU())


def convolution(inputs: int, outputs: int, size: int = 4, stride: int = 2) -> list[nn.Module]:
    """Return a convolution, batch normalization and a rectifier."""
    convolved = nn.Conv2d(inputs, outputs, size, stride, (size - 1) // 2, bias=False)
    return [convolved, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


class FlatPlaces(nn.Module):
    """All channels at 4x4 places, to which the map of a frame that is not 64x64 is averaged."""

    def forward(
        self, hidden: Float[Tensor, "frame channel height width"]
    ) -> Float[Tensor, "frame all"]:
        """Return one vector per frame."""
        if hidden.shape[-2:] != PLACES:
            hidden = adaptive_avg_pool2d(hidden, PLACES)
        return hidden.flatten(1)


class SpatialPool(nn.Module):
    """The maximum and the mean of every channel over positions."""

    def forward(
        self, hidden: Float[Tensor, "frame channel height width"]
    ) -> Float[Tensor, "frame both"]:
        """Return both, concatenated."""
        return torch.cat([hidden.amax(dim=(-2, -1)), hidden.mean(dim=(-2, -1))], dim=-1)
