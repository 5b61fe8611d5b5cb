"""Clips that go on: their first frames, then frames whose motion is drawn given that before."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Generator, Tensor

from s3vae.data.clips import ClipFile
from s3vae.evaluation.protocol import RealClips, Scores
from s3vae.judge.network import Judge
from s3vae.judge.predictions import predict, video_batches
from s3vae.judge.scores import conditional_entropy, mean_of
from s3vae.model.s3vae import S3VAE
from s3vae.runtime import generator_at
from s3vae.tensors import Video

CLIPS, BATCH = 128, 16
TIMES_AS_LONG = 4
"""Frames of a rollout over those of a clip of training."""


class Continued(NamedTuple):
    """Real clips, their reconstructions, and clips that go on after the first half."""

    real: Video
    reconstruction: Video
    rollout: Video


@torch.no_grad()
def continued(model: S3VAE, video: Video, generator: Generator) -> Continued:
    """Encode the first half of clips and draw how they go on, four times as long as they were."""
    time = video.shape[1]
    known = model.encode(video[:, : known_frames(time)])
    before = known.dynamic.mean
    after = model.prior.continuation(before, TIMES_AS_LONG * time - before.shape[1], generator)
    whole = model.encode(video)
    return Continued(
        video,
        model.decode(whole.static.mean, whole.dynamic.mean),
        model.decode(known.static.mean, torch.cat([before, after], dim=1)),
    )


def known_frames(time: int) -> int:
    """Return how many first frames of a clip are known: half of them."""
    return max(time // 2, 1)


def continuation_scores(
    model: S3VAE,
    judge: Judge,
    clips: ClipFile,
    rows: Int[ndarray, " clip"],
    real: RealClips | None,
    seed: int,
    device: torch.device,
) -> Scores:
    """Return how near continued clips are to what came, and whether long ones freeze or drift.

    Of some of the clips, chosen at random. Without real clips, nothing is judged.
    """
    chosen = np.sort(np.random.default_rng(0).permutation(len(rows))[:CLIPS])
    generator, time = generator_at(device, seed), clips.time
    videos = video_batches(clips, rows[chosen], device, BATCH)
    batches = [continued(model, video(), generator) for video in videos]
    scores = errors(batches, known_frames(time)) | {"rollout_motion": motion_left(batches, time)}
    if real is not None:
        scores |= judged(judge, real, chosen, batches, time)
    return scores


def errors(batches: list[Continued], known: int) -> Scores:
    """Return the squared error per pixel of the later frames, and its floor and null.

    The floor is the error of reconstructions, which know these frames; the null that of the last
    known frame, shown again.
    """

    def error(shown: list[Tensor]) -> float:
        squares = [
            (frames - batch.real[:, known:]).square().flatten(1).mean(dim=1)
            for frames, batch in zip(shown, batches, strict=True)
        ]
        return float(torch.cat(squares).mean())

    rollouts = [batch.rollout[:, known : batch.real.shape[1]] for batch in batches]
    return {
        "continuation_error": error(rollouts),
        "continuation_error_floor": error([batch.reconstruction[:, known:] for batch in batches]),
        "continuation_error_null": error([batch.real[:, known - 1 : known] for batch in batches]),
    }


def motion_left(batches: list[Continued], time: int) -> float:
    """Return the mean change between frames at the end of rollouts over that at their beginning.

    Each is taken from as many frames as a clip has. 0: they freeze; above 1: they grow restless.
    """

    def change(video: Video) -> Float[Tensor, " clip"]:
        return video.diff(dim=1).abs().flatten(1).mean(dim=1)

    first = torch.cat([change(batch.rollout[:, :time]) for batch in batches]).mean()
    last = torch.cat([change(batch.rollout[:, -time:]) for batch in batches]).mean()
    return float(last / first)


def judged(
    judge: Judge,
    real: RealClips,
    chosen: Int[ndarray, " clip"],
    batches: list[Continued],
    time: int,
) -> Scores:
    """Return the accuracies and the entropy of the factors of continued clips, `chosen` of `real`.

    `continued_dynamic` is of clips as long as in training, the others are of the end of rollouts.
    """
    soon = predict(judge, (batch.rollout[:, :time] for batch in batches))
    late = predict(judge, (batch.rollout[:, -time:] for batch in batches))
    entropies = {name: conditional_entropy(late[name]) for name in real.of_kind("dynamic")}
    return {
        "continued_dynamic": mean_of(real.accuracies(soon, "dynamic", chosen)),
        "rollout_static": mean_of(real.accuracies(late, "static", chosen)),
        "rollout_h_y_given_x": mean_of(entropies),
    }
