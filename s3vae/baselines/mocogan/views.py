"""What the discriminators are given: some frames of a clip, shifted, recoloured and noisy.

Real and generated clips are changed alike, and gradients pass through the changes (Zhao et al.,
NeurIPS 2020). Without them the discriminators remember the few clips of a filmed data set.
"""

import torch
from jaxtyping import Int
from torch import Generator, Tensor
from torch.nn.functional import affine_grid, grid_sample

from s3vae.tensors import Video


def random_times(time: int, count: int, generator: Generator) -> Int[Tensor, " chosen"]:
    """Draw `count` neighbouring frames, or every second one in a clip that is long enough."""
    longest = 2 if 2 * (count - 1) < time else 1
    step = int(torch.randint(longest, (), generator=generator, device=generator.device)) + 1
    starts = time - (count - 1) * step
    start = torch.randint(starts, (), generator=generator, device=generator.device)
    return start + step * torch.arange(count, device=generator.device)


def shift(video: Video, pixels: float, generator: Generator) -> Video:
    """Shift each clip as a whole by at most `pixels` along each axis, repeating the edges."""
    clips, _, _, height, width = video.shape
    draws = torch.rand(clips, 2, generator=generator, device=video.device) * 2 - 1
    # affine_grid measures in halves of a side
    halves = torch.tensor([2 / width, 2 / height], device=video.device)
    places = torch.eye(2, 3, device=video.device).repeat(clips, 1, 1)
    places[:, :, 2] = draws * pixels * halves
    grid = affine_grid(places, [clips, 1, height, width], align_corners=False)
    frames = video.flatten(1, 2)
    shifted: Tensor = grid_sample(frames, grid, padding_mode="border", align_corners=False)
    return shifted.reshape(video.shape)


def recolour(video: Video, strength: float, generator: Generator) -> Video:
    """Multiply the intensities of a clip by 1 +- strength, and add +- strength / 2 per channel."""
    clips, _, channels = video.shape[:3]
    draws = torch.rand(clips, 1, 1 + channels, 1, 1, generator=generator, device=video.device) - 0.5
    gain, offset = draws[:, :, :1], draws[:, :, 1:]
    return video * (1 + 2 * strength * gain) + strength * offset


def noisy(frames: Tensor, deviation: float, generator: Generator) -> Tensor:
    """Add normal noise to intensities; `deviation` is in units of half their range."""
    noise = torch.randn(frames.shape, generator=generator, device=frames.device)
    return frames + deviation / 2 * noise
