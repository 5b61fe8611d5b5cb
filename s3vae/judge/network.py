"""The judge: a classifier of every factor, trained on real clips, that scores generated ones."""

import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy, instance_norm

from s3vae.files import replacing
from s3vae.tensors import RawVideo, Scalar, Video
from s3vae.weights import load_weights, save_weights

Logits = Mapping[str, Float[Tensor, "batch value"]]
HEADS, FEATURES, RECURRENT, DROPOUT = "heads.json", 128, 128, 0.2


class Judge(nn.Module):
    """A frame encoder, a bi-LSTM over time, and one head per factor.

    Pooled, it is blind to where and when something is seen: for factors that a frame may tell. With
    differences, the LSTM is told of every feature also how far it is from its mean over the clip,
    in units of its spread: small motion of something large is else found late or never.
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
        if differences:  # earlier judges were written without a word of it
            self.sizes["differences"] = True
        self.encoder = (pooled_encoder if pooled else placed_encoder)(channels, width)
        self.recurrent: nn.LSTM | None = None
        if pooled:
            self.whenever = nn.Sequential(nn.Linear(4 * RECURRENT, 2 * RECURRENT), nn.ReLU())
        else:
            told = 2 * FEATURES if differences else FEATURES
            self.recurrent = nn.LSTM(told, RECURRENT, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(DROPOUT)
        self.heads = nn.ModuleDict({k: nn.Linear(2 * RECURRENT, n) for k, n in factors.items()})

    def forward(self, video: Video) -> Logits:
        """For every factor, logits over its values."""
        features = self.encoder(video.flatten(0, 1)).unflatten(0, video.shape[:2])
        if self.recurrent is None:
            seen = torch.cat([features.amax(dim=1), features.mean(dim=1)], dim=-1)
            summary = self.whenever(self.dropout(seen))
        else:
            summary = self.over_time(features)
        return {name: head(summary) for name, head in self.heads.items()}

    def over_time(
        self, features: Float[Tensor, "batch time features"]
    ) -> Float[Tensor, "batch summary"]:
        """The clip in one vector."""
        assert self.recurrent is not None
        seen = self.dropout(features.relu())
        if self.differences:
            seen = torch.cat([seen, instance_norm(features.mT).mT], dim=-1)
        summary: Tensor = self.recurrent(seen)[0].mean(dim=1)
        return summary

    @torch.no_grad()
    def probabilities(self, video: Video) -> dict[str, Float[Tensor, "batch value"]]:
        """For every factor, the judge's probabilities, in double precision."""
        return {name: logits.double().softmax(-1) for name, logits in self(video).items()}


def placed_encoder(channels: int, width: int) -> nn.Sequential:
    """A frame to what is seen where."""
    widths = [channels, width, 2 * width, 4 * width, 4 * width]
    layers = [layer for sizes in pairwise(widths) for layer in convolution(*sizes)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(16 * widths[-1], FEATURES))


def pooled_encoder(channels: int, width: int) -> nn.Sequential:
    """A frame to what is seen in it, anywhere: maximum and mean over places."""
    widths = [channels, width, 2 * width, 4 * width]
    layers = [layer for sizes in pairwise(widths) for layer in convolution(*sizes)]
    layers += convolution(widths[-1], FEATURES, size=3, stride=1)
    return nn.Sequential(*layers, OverPlaces(), nn.Linear(2 * FEATURES, 2 * RECURRENT), nn.ReLU())


def convolution(inputs: int, outputs: int, size: int = 4, stride: int = 2) -> list[nn.Module]:
    """A convolution with what follows it."""
    convolved = nn.Conv2d(inputs, outputs, size, stride, 1, bias=False)
    return [convolved, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


class OverPlaces(nn.Module):
    """Maximum and mean of every channel."""

    def forward(
        self, hidden: Float[Tensor, "frame channel height width"]
    ) -> Float[Tensor, "frame both"]:
        """Both in one row."""
        return torch.cat([hidden.amax(dim=(-2, -1)), hidden.mean(dim=(-2, -1))], dim=-1)


def some_frames(
    frames: RawVideo, count: int, generator: Generator
) -> UInt8[Tensor, "batch count height width channel"]:
    """Of each clip so many frames, drawn at random, in their order."""
    clips, time = frames.shape[:2]
    draws = torch.rand(clips, time, generator=generator, device=frames.device)
    chosen = draws.argsort(dim=1)[:, :count].sort(dim=1).values
    return frames[torch.arange(clips, device=frames.device)[:, None], chosen]


def moved(frames: RawVideo, pixels: int, generator: Generator) -> RawVideo:
    """Each clip moved as a whole, by at most so many pixels along each axis; edges are repeated."""
    clips, _, height, width = frames.shape[:4]
    device = frames.device
    moves = torch.randint(-pixels, pixels + 1, (2, clips, 1), generator=generator, device=device)
    rows, columns = (
        (torch.arange(size, device=device) + by).clamp(0, size - 1)
        for size, by in zip((height, width), moves, strict=True)
    )
    return torch.stack(
        [
            clip.index_select(1, from_rows).index_select(2, from_columns)
            for clip, from_rows, from_columns in zip(frames, rows, columns, strict=True)
        ]
    )


def mirrored(frames: RawVideo, generator: Generator) -> RawVideo:
    """Each clip as it is or, as a whole, with left and right exchanged; either is as likely."""
    flipped = torch.rand(len(frames), generator=generator, device=frames.device) < 0.5
    return torch.where(flipped[:, None, None, None, None], frames.flip(3), frames)


def judge_losses(logits: Logits, labels: Mapping[str, Tensor]) -> dict[str, Scalar]:
    """Cross-entropy of every factor, by name, and their sum as `total`."""
    losses = {name: cross_entropy(logits[name], labels[name]) for name in logits}
    return {**losses, "total": torch.stack(list(losses.values())).sum()}


def save_judge(judge: Judge, folder: Path) -> None:
    """Write a judge's folder: weights, and the sizes to build it again from."""
    with replacing(folder) as aside:
        aside.mkdir()
        save_weights(judge, aside)
        (aside / HEADS).write_text(json.dumps(judge.sizes, indent=2) + "\n")


def load_judge(folder: Path, device: torch.device) -> Judge:
    """The judge of a folder, in eval mode."""
    judge = Judge(**json.loads((folder / HEADS).read_text()))
    load_weights(judge, folder)
    return judge.to(device).eval()
