"""What the discriminators are given: some frames of a clip, shifted, recoloured and noisy.

Real and generated clips are changed alike, and gradients pass through the changes (Zhao et al.,
NeurIPS 2020). Without them the discriminators remember the few clips of a filmed data set.
"""

import torch
from jaxtyping import Int
from pydantic import Field
from pydantic.dataclasses import dataclass
from torch import Generator, Tensor
from torch.nn.functional import affine_grid, grid_sample

from s3vae.settings import STRICT
from s3vae.tensors import Video


@dataclass(frozen=True, config=STRICT)
class DiscriminatorViews:
    """How clips are changed before the discriminators are given them."""

    frames: int = Field(default=8, gt=1)
    """The frames of a clip, neighbouring or alternate; all of a clip that has no more."""
    shift: float = Field(default=6.0, ge=0, lt=32)
    """The largest shift of a clip, in pixels along each axis."""
    recolour: float = Field(default=0.2, ge=0, lt=1)
    """The largest relative change of its intensities, and twice the largest offset of a channel."""
    noise: float = Field(default=0.1, ge=0, lt=1)
    """Standard deviation of the noise on its frames, in units of half the range of intensities."""

    def of(self, video: Video, generator: Generator) -> Video:
        """Return the clips as they are given, except for the choice of frames."""
        moved = shift(video, self.shift, generator)
        return noisy(recolour(moved, self.recolour, generator), self.noise, generator)


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
