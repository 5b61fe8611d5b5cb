"""Clips of any length: encoded in overlapping windows, decoded a few frames at a time."""

from collections import deque
from collections.abc import Iterable, Iterator

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from s3vae.model.s3vae import S3VAE
from s3vae.tensors import to_bytes, to_unit

RawFrame = UInt8[Tensor, "height width channel"]
WINDOWS_AT_A_TIME, FRAMES_AT_A_TIME = 16, 64


@torch.no_grad()
def encode_clip(
    model: S3VAE, frames: Iterable[RawFrame], count: int, window: int, overlap: int
) -> tuple[Float[Tensor, " static"], Float[Tensor, "time dynamic"]]:
    """Return the posterior means of z_f and z_t of one clip of `count` frames.

    The recurrent posteriors know clips of the length of training, which `window` should be. Windows
    share `overlap` frames, the last two perhaps more. z_f is averaged over windows, z_t cross-faded
    where they overlap. Only the frames of a few windows are in memory. Raises ValueError if there
    are other than `count` frames, or unless 0 <= overlap < window.
    """
    starts = window_starts(count, window, overlap)
    window = min(window, count)
    ramp = torch.arange(1, window + 1).clamp(max=overlap + 1)
    weight = torch.minimum(ramp, ramp.flip(0))[:, None].float()
    static = torch.zeros(model.architecture.static)
    dynamic, total = torch.zeros(count, model.architecture.dynamic), torch.zeros(count, 1)
    device = next(model.parameters()).device
    for some in _windows(frames, count, window, starts):
        posterior = model.encode(to_unit(torch.stack([*some.values()]).to(device)))
        static += posterior.static.mean.cpu().sum(dim=0)
        for start, part in zip(some, posterior.dynamic.mean.cpu(), strict=True):
            dynamic[start : start + window] += weight * part
            total[start : start + window] += weight
    return static / len(starts), dynamic / total


def window_starts(count: int, window: int, overlap: int) -> list[int]:
    """Return the first frames of windows that cover `count` frames. Raises ValueError."""
    if not 0 <= overlap < window:
        msg = f"windows of {window} frames cannot overlap by {overlap}: choose 0 to {window - 1}"
        raise ValueError(msg)
    last = max(count - window, 0)
    return [*range(0, last, window - overlap), last]


def _windows(
    frames: Iterable[RawFrame], count: int, window: int, starts: list[int]
) -> Iterator[dict[int, Tensor]]:
    """Yield windows by the index of their first frame, some at a time."""
    recent: deque[RawFrame] = deque(maxlen=window)
    some: dict[int, Tensor] = {}
    begins, read = set(starts), 0
    for read, frame in enumerate(frames, start=1):
        recent.append(frame)
        if (start := read - window) in begins:
            some[start] = torch.stack([*recent])
        if len(some) == WINDOWS_AT_A_TIME:
            yield some
            some = {}
    if read != count:
        raise ValueError(f"{read} of {count} frames can be read")
    if some:
        yield some


@torch.no_grad()
def decode_clip(
    model: S3VAE, static: Float[Tensor, " static"], dynamic: Float[Tensor, "time dynamic"]
) -> Iterator[RawFrame]:
    """Decode the frames of one clip, each from its own z_t, some at a time."""
    device = next(model.parameters()).device
    for some in torch.split(dynamic, FRAMES_AT_A_TIME):
        yield from to_bytes(model.decode(static[None].to(device), some[None].to(device)))[0].cpu()
