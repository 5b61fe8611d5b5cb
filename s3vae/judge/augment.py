"""Augmentation of the clips that a judge is trained on."""

import torch
from jaxtyping import UInt8
from torch import Generator, Tensor

from s3vae.judge.settings import JudgeStage
from s3vae.tensors import RawVideo


def augment(
    frames: RawVideo, settings: JudgeStage, generator: Generator
) -> UInt8[Tensor, "batch count height width channel"]:
    """Return the clips sampled in time, shifted and mirrored as the settings ask."""
    if settings.frames is not None:
        frames = sample_frames(frames, settings.frames, generator)
    if settings.shift:
        frames = shift_clips(frames, settings.shift, generator)
    if settings.mirror:
        frames = mirror_clips(frames, generator)
    return frames


def sample_frames(
    frames: RawVideo, count: int, generator: Generator
) -> UInt8[Tensor, "batch count height width channel"]:
    """Return `count` random frames of each clip, in their order."""
    clips, time = frames.shape[:2]
    draws = torch.rand(clips, time, generator=generator, device=frames.device)
    chosen = draws.argsort(dim=1)[:, :count].sort(dim=1).values
    return frames[torch.arange(clips, device=frames.device)[:, None], chosen]


def shift_clips(frames: RawVideo, pixels: int, generator: Generator) -> RawVideo:
    """Shift each clip as a whole by at most `pixels` along each axis, repeating the edges."""
    clips, _, height, width = frames.shape[:4]
    device = frames.device
    shifts = torch.randint(-pixels, pixels + 1, (2, clips, 1), generator=generator, device=device)
    rows, columns = (
        (torch.arange(size, device=device) + shift).clamp(0, size - 1)
        for size, shift in zip((height, width), shifts, strict=True)
    )
    return torch.stack(
        [
            clip.index_select(1, from_rows).index_select(2, from_columns)
            for clip, from_rows, from_columns in zip(frames, rows, columns, strict=True)
        ]
    )


def mirror_clips(frames: RawVideo, generator: Generator) -> RawVideo:
    """Exchange left and right of each clip as a whole with probability 1/2."""
    flipped = torch.rand(len(frames), generator=generator, device=frames.device) < 0.5
    return torch.where(flipped[:, None, None, None, None], frames.flip(3), frames)
