"""The shapes of tensors as types, and conversions of videos."""

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

Video = Float[Tensor, "batch time channel height width"]
RawVideo = UInt8[Tensor, "batch time height width channel"]
Features = Float[Tensor, "batch time feature"]
StaticCode = Float[Tensor, "batch static"]
DynamicCode = Float[Tensor, "batch time dynamic"]
CodePair = tuple[StaticCode, DynamicCode]
Labels = Int[Tensor, " batch"]
Scalar = Float[Tensor, ""]


def to_unit(frames: RawVideo) -> Video:
    """Convert bytes, channel last, to intensities in [0, 1], channel first."""
    return frames.permute(0, 1, 4, 2, 3).to(torch.get_default_dtype()) / 255


def to_bytes(video: Video) -> RawVideo:
    """Convert intensities, clamped to [0, 1], to bytes, channel last."""
    return (video.clamp(0, 1) * 255).round().byte().permute(0, 1, 3, 4, 2).contiguous()
