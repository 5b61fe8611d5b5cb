"""The shapes of tensors as types, and what is made of videos without learning."""

import torch
from jaxtyping import Float, Int, UInt8
from torch import Generator, Tensor

Video = Float[Tensor, "batch time channel height width"]
RawVideo = UInt8[Tensor, "batch time height width channel"]
Features = Float[Tensor, "batch time feature"]
StaticCode = Float[Tensor, "batch static"]
DynamicCode = Float[Tensor, "batch time dynamic"]
CodePair = tuple[StaticCode, DynamicCode]
Labels = Int[Tensor, " batch"]
Scalar = Float[Tensor, ""]

LEAST_SPREAD = 0.04
"""A floor of the unit of deviations, for clips in which nothing moves."""


def to_unit(frames: RawVideo) -> Video:
    """Convert bytes, channel last, to intensities in [0, 1], channel first."""
    return frames.permute(0, 1, 4, 2, 3).to(torch.get_default_dtype()) / 255


def to_bytes(video: Video) -> RawVideo:
    """Convert intensities, clamped to [0, 1], to bytes, channel last."""
    return (video.clamp(0, 1) * 255).round().byte().permute(0, 1, 3, 4, 2).contiguous()


def deviations(video: Video) -> Video:
    """Return the differences of a clip's frames from their mean, around 0.5.

    They are in units of four standard deviations over the clip, so that small motion is seen too.
    """
    difference = video - video.mean(dim=1, keepdim=True)
    spread = difference.square().mean(dim=(1, 2, 3, 4), keepdim=True).sqrt()
    return difference / (4 * spread + LEAST_SPREAD) + 0.5


def mix_colours(video: Video, strength: float, generator: Generator) -> Video:
    """Return clips with their colours changed, all frames of a clip alike.

    c' = (I + strength A)(c - 1/2) + 1/2 + strength b / 2, with standard normal A and b per clip:
    hue, saturation, contrast and brightness change together, and values may leave [0, 1].
    """
    clips, channels = len(video), video.shape[2]
    draws = torch.randn(clips, channels, channels + 1, generator=generator, device=video.device)
    mixing = torch.eye(channels, device=video.device) + strength * draws[..., :channels]
    shift = strength / 2 * draws[:, None, :, channels:]
    mixed = mixing[:, None] @ (video.flatten(3) - 0.5) + shift + 0.5
    return mixed.reshape(video.shape)
