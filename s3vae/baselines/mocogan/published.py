"""MoCoGAN's own discriminators: one of single frames, one of whole clips (Tulyakov et al. 2018)."""

from collections.abc import Mapping
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from s3vae.model.layers import SLOPE, Frames
from s3vae.tensors import Video

DIFFERENCE_SCALE = 8
"""The factor of differences of intensities in [0, 1] from the mean of a clip."""


class FrameDiscriminator(nn.Module):
    """A classifier of the patches of single frames (64x64) as real or generated."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(SLOPE)]
        for sizes in pairwise((width, 2 * width, 4 * width)):
            layers += [nn.Conv2d(*sizes, 4, 2, 1, bias=False), nn.BatchNorm2d(sizes[1])]
            layers += [nn.LeakyReLU(SLOPE)]
        self.patches = nn.Sequential(*layers, nn.Conv2d(4 * width, 1, 4, 2, 1))

    def forward(self, frames: Frames) -> Float[Tensor, "frame row column"]:
        """Return one logit per patch, above 0 for real."""
        logits: Tensor = self.patches(2 * frames - 1)
        return logits[:, 0]


class ClipDiscriminator(nn.Module):
    """A classifier of clips of `frames` frames as real or generated, and of their categories.

    Frames are reduced to patches of 4x4 pixels; kernels over time and space do the rest. With
    `differences`, each frame's difference from the mean of the clip stands beside it, enlarged:
    slight motions of large objects are hardly seen without it.
    """

    def __init__(
        self,
        channels: int,
        width: int,
        categories: Mapping[str, int],
        frames: int,
        differences: bool = False,
    ) -> None:
        super().__init__()
        self.categories, self.differences = dict(categories), differences
        inputs = 2 * channels if differences else channels
        patches = nn.Conv3d(inputs, width, (1, 4, 4), (1, 4, 4))
        layers: list[nn.Module] = [patches, nn.LeakyReLU(SLOPE)]
        # over time, of 8: 8 -> 6 -> 5 -> 4 frames, in space 16 -> 8 -> 4 -> 1 places
        for inputs, outputs, longest, stride in ((1, 2, 3, 2), (2, 4, 2, 2), (4, 4, 2, 1)):
            kernel, edge = min(longest, frames), stride - 1
            layers += [
                nn.Conv3d(
                    inputs * width,
                    outputs * width,
                    (kernel, 4, 4),
                    (1, stride, stride),
                    (0, edge, edge),
                    bias=False,
                ),
                nn.BatchNorm3d(outputs * width),
                nn.LeakyReLU(SLOPE),
            ]
            frames -= kernel - 1
        last = nn.Conv3d(4 * width, 1 + sum(self.categories.values()), (frames, 1, 1))
        self.clip = nn.Sequential(*layers, last, nn.Flatten())

    def forward(
        self, video: Video
    ) -> tuple[Float[Tensor, " batch"], dict[str, Float[Tensor, "batch value"]]]:
        """Return one logit per clip, above 0 for real, and the logits of every category."""
        inputs = 2 * video - 1
        if self.differences:
            change = DIFFERENCE_SCALE * (video - video.mean(dim=1, keepdim=True))
            inputs = torch.cat([inputs, change], dim=2)
        logits: Tensor = self.clip(inputs.transpose(1, 2))
        real, *categories = torch.split(logits, [1, *self.categories.values()], dim=1)
        return real[:, 0], dict(zip(self.categories, categories, strict=True))
