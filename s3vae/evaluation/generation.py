"""Clips of which both codes are drawn: how clear, diverse and like real ones (experiment E).

Distances are between features of the judge. Fréchet distance: Heusel et al. 2017 (with other
features); precision and recall: Kynkäänniemi et al. 2019.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from s3vae.data.clips import ClipFile, Split
from s3vae.evaluation.codes import encode
from s3vae.judge.network import Judge
from s3vae.judge.predictions import BATCH, predict, video_batches
from s3vae.judge.scores import conditional_entropy, marginal_entropy, mean_of
from s3vae.model.s3vae import S3VAE
from s3vae.runtime import generator_at
from s3vae.tensors import Video

Prior = Literal["standard", "learned"]
Features = Float[ndarray, "clip feature"]
NEIGHBOURS = 3


def drawn_clips(
    model: S3VAE, prior: Prior, count: int, time: int, seed: int, device: torch.device
) -> Iterator[Video]:
    """Draw clips in batches: z_f from N(0, I) or the learned prior, z_t from its own prior."""
    generator = generator_at(device, seed)
    for start in range(0, count, BATCH):
        batch = min(BATCH, count - start)
        draw = model.draw_static if prior == "standard" else model.draw_learned_static
        with torch.no_grad():
            static = draw(batch, generator)
            yield model.decode(static, model.draw_dynamic(batch, time, generator))


def real_clips(
    clips: ClipFile, split: Split, device: torch.device, count: int | None = None
) -> Iterator[Video]:
    """Read clips of a split in batches, in an order without meaning; all if `count` is None."""
    order = np.random.default_rng(0).permutation(clips.split(split))[:count]
    return (batch() for batch in video_batches(clips, order, device))


def reconstructed_clips(
    model: S3VAE, clips: ClipFile, split: Split, device: torch.device
) -> Iterator[Video]:
    """Decode the posterior means of the clips of a split in batches."""
    for pair in encode(model, clips, clips.split(split), device).batches():
        with torch.no_grad():
            yield model.decode(*pair)


class Appearances:
    """The combinations of static attributes among the clips of training."""

    def __init__(self, clips: ClipFile) -> None:
        self.names = [factor.name for factor in clips.static_factors]
        train = clips.split("train")
        self.labels = np.array([clips.labels(name)[train] for name in self.names]).T
        self.known = {*map(tuple, self.labels.tolist())}

    def unseen(self, predictions: Mapping[str, Float[ndarray, "clip value"]]) -> float:
        """Return the share of clips with a combination that training never showed."""
        if not self.names:
            return math.nan
        found = np.array([predictions[name].argmax(axis=1) for name in self.names]).T
        return float(np.mean([tuple(each) not in self.known for each in found.tolist()]))

    def unseen_if_independent(self) -> float:
        """Return that share for attributes drawn apart, each as often as in training."""
        if not self.names:
            return math.nan
        shares = [np.bincount(each) / len(each) for each in self.labels.T]
        chosen = (
            (share[value] for share, value in zip(shares, each, strict=True)) for each in self.known
        )
        return 1 - float(sum(map(math.prod, chosen)))


def judged(
    judge: Judge, appearances: Appearances, videos: Iterator[Video]
) -> tuple[Features, dict[str, float]]:
    """Return the judge's features of clips, and three scores of its predictions.

    `entropy`: H(y|x), low if every clip is clear, and `diversity`: H(y), high if clips differ, both
    means over factors; `unseen`: the share of appearances that training never showed.
    """
    batches = [*videos]
    with torch.no_grad():
        features = torch.cat([judge.features(batch) for batch in batches]).cpu().numpy()
    found = predict(judge, batches)
    return features, {
        "entropy": mean_of({name: conditional_entropy(each) for name, each in found.items()}),
        "diversity": mean_of({name: marginal_entropy(each) for name, each in found.items()}),
        "unseen": appearances.unseen(found),
    }


def frechet_distance(first: Features, second: Features) -> float:
    """Return the Fréchet distance of two Gaussians with the moments of two sets of features."""
    means = [each.mean(axis=0, dtype=np.float64) for each in (first, second)]
    one, two = (np.cov(each.astype(np.float64), rowvar=False) for each in (first, second))
    # the trace of the root of a product of two covariances, whose eigenvalues are not negative
    roots = np.sqrt(np.linalg.eigvals(one @ two).real.clip(min=0)).sum()
    distance = np.square(means[0] - means[1]).sum() + np.trace(one) + np.trace(two) - 2 * roots
    return max(float(distance), 0.0)


def precision_and_recall(real: Features, drawn: Features) -> tuple[float, float]:
    """Return the share of drawn clips near a real one, and of real clips near a drawn one.

    Near is within the distance of a clip to its third neighbour in its own set.
    """
    return coverage(real, drawn), coverage(drawn, real)


def coverage(centres: Features, points: Features) -> float:
    """Return the share of points within the radius of a centre."""
    middle, others = torch.from_numpy(centres), torch.from_numpy(points)
    within = torch.cdist(middle, middle).sort(dim=1).values
    radius = within[:, min(NEIGHBOURS, len(centres) - 1)]
    near = torch.cdist(others, middle) <= radius
    return float(near.any(dim=1).double().mean())


def compared(real: Features, drawn: Features) -> dict[str, float]:
    """Return the Fréchet distance, precision and recall of drawn clips."""
    precision, recall = precision_and_recall(real, drawn)
    distance = frechet_distance(real, drawn)
    return {"frechet_distance": distance, "precision": precision, "recall": recall}


def generation_scores(
    model: S3VAE, judge: Judge, clips: ClipFile, split: Split, seed: int, device: torch.device
) -> dict[str, dict[str, float]]:
    """Return the scores of clips drawn from both priors, as many as there are real ones.

    Beside them stand: `real`, one half of the real clips against the other; `train`, real clips of
    the train split, which have other appearances, as drawn ones have; `reconstructed`, what the
    decoder itself loses; `independent`, appearances whose attributes are drawn apart.
    """
    appearances = Appearances(clips)
    real, found = judged(judge, appearances, real_clips(clips, split, device))
    half = len(real) // 2
    scores = {"real": found | compared(real[:half], real[half:])}
    others = {
        "train": real_clips(clips, "train", device, len(real)),
        "reconstructed": reconstructed_clips(model, clips, split, device),
        "standard": drawn_clips(model, "standard", len(real), clips.time, seed, device),
        "learned": drawn_clips(model, "learned", len(real), clips.time, seed, device),
    }
    for name, videos in others.items():
        features, found = judged(judge, appearances, videos)
        scores[name] = found | compared(real, features)
    scores["independent"] = {"unseen": appearances.unseen_if_independent()}
    return scores
