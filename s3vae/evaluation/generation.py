"""Clips of which both codes are drawn: how clear, diverse and like real ones (experiment E).

Distances are between features of the judge. Fréchet distance: Heusel et al. 2017 (with other
features); precision and recall: Kynkäänniemi et al. 2019.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray

from s3vae.baselines.saved import Model
from s3vae.data.clips import ClipFile
from s3vae.evaluation.codes import decoded_clips, encode
from s3vae.evaluation.encoded import encode_or_sample
from s3vae.evaluation.novelty import MOST, Appearances, Copies, Thumbnails, thumbnails
from s3vae.evaluation.protocol import Scores, over_seeds
from s3vae.judge.network import Judge
from s3vae.judge.predictions import BATCH, Predictions, video_batches
from s3vae.judge.scores import conditional_entropy, marginal_entropy, mean_of
from s3vae.model.s3vae import S3VAE
from s3vae.runtime import generator_at
from s3vae.tensors import Video

Prior = Literal["standard", "learned"]
Features = Float[ndarray, "_clip feature"]
NEIGHBOURS = 3
FEWEST = 64
"""The smallest number of clips of each kind, on which distances depend; no scores of fewer."""
LEAST_EXPECTED = 0.01
"""The smallest share of new combinations by which theirs is divided."""


@torch.no_grad()
def drawn_clips(
    model: S3VAE, prior: Prior, count: int, time: int, seed: int, device: torch.device
) -> Iterator[Video]:
    """Draw clips in batches: z_f from N(0, I) or the learned prior, z_t from its own prior."""
    generator = generator_at(device, seed)
    for start in range(0, count, BATCH):
        batch = min(BATCH, count - start)
        draw = model.draw_static if prior == "standard" else model.draw_learned_static
        static = draw(batch, generator)
        yield model.decode(static, model.draw_dynamic(batch, time, generator))


def clips_by_prior(
    model: Model, clips: ClipFile, rows: Int[ndarray, " clip"], seed: int, device: torch.device
) -> dict[str, Iterator[Video]]:
    """Draw as many clips as there are rows, by the end of their scores' names.

    `_standard`: z_f from N(0, I); no end: from the learned prior, if there is one. A generator with
    categories draws clips of those of the rows.
    """
    if not isinstance(model, S3VAE):
        generator, codes = encode_or_sample(model, clips, rows, device, seed)
        return {"_standard": decoded_clips(generator, codes)}
    priors: dict[str, Prior] = {"_standard": "standard"}
    if model.static_prior is not None:
        priors[""] = "learned"
    count, time = len(rows), clips.time
    return {
        end: drawn_clips(model, prior, count, time, seed, device) for end, prior in priors.items()
    }


class Summary(NamedTuple):
    """What scores need of clips."""

    features: Features
    predictions: Predictions
    thumbnails: Thumbnails


@torch.no_grad()
def summarize(judge: Judge, videos: Iterable[Video]) -> Summary:
    """Return the judge's features and predictions of clips, and their thumbnails."""
    features, found, small = [], [], []
    for video in videos:
        features.append(judge.features(video))
        logits = judge.logits(features[-1])
        found.append({name: each.double().softmax(-1) for name, each in logits.items()})
        small.append(thumbnails(video).cpu())
    return Summary(
        torch.cat(features).cpu().numpy(),
        {name: torch.cat([each[name] for each in found]).cpu().numpy() for name in found[0]},
        torch.cat(small),
    )


def frechet_distance(first: Features, second: Features) -> float:
    """Return the Fréchet distance of two Gaussians with the moments of two sets of features.

    NaN if a feature is not finite.
    """
    if not all(np.isfinite(each).all() for each in (first, second)):
        return math.nan
    means = [each.mean(axis=0, dtype=np.float64) for each in (first, second)]
    one, two = (np.cov(each.astype(np.float64), rowvar=False) for each in (first, second))
    # the trace of the root of a product of two covariances, whose eigenvalues are not negative
    roots = np.sqrt(np.linalg.eigvals(one @ two).real.clip(min=0)).sum()
    distance = np.square(means[0] - means[1]).sum() + np.trace(one) + np.trace(two) - 2 * roots
    return max(float(distance), 0.0)


def coverage(centres: Features, points: Features) -> float:
    """Return the share of points within the distance of a centre to its third neighbour."""
    middle, others = torch.from_numpy(centres), torch.from_numpy(points)
    within = torch.cdist(middle, middle).sort(dim=1).values
    radius = within[:, min(NEIGHBOURS, len(centres) - 1)]
    near = torch.cdist(others, middle) <= radius
    return float(near.any(dim=1).double().mean())


class Reference:
    """What drawn clips are compared with: real clips, and the clips of training."""

    def __init__(self, real: Summary, clips: ClipFile) -> None:
        self.real, self.appearances, self.copies = real, Appearances(clips), Copies(clips)

    def scores(self, summary: Summary) -> Scores:
        """Return the scores of as many clips as there are real ones.

        `entropy`: H(y|x), low if every clip is clear, and `diversity`: H(y), high if clips differ,
        both means over factors. `precision`: the share of drawn clips near a real one. `recall`:
        that of real clips near a drawn one. `unseen`: the share of new combinations of static
        attributes over that of attributes drawn apart; NaN if that is nearly 0.
        """
        found, expected = summary.predictions, self.appearances.unseen_if_independent()
        unseen = self.appearances.unseen(found)
        return {
            "entropy": mean_of({name: conditional_entropy(each) for name, each in found.items()}),
            "diversity": mean_of({name: marginal_entropy(each) for name, each in found.items()}),
            "distance": frechet_distance(self.real.features, summary.features),
            "precision": coverage(self.real.features, summary.features),
            "recall": coverage(summary.features, self.real.features),
            "unseen": unseen / expected if expected >= LEAST_EXPECTED else math.nan,
            "copies": self.copies.share(summary.thumbnails),
        }


def generation_scores(
    model: Model,
    judge: Judge,
    clips: ClipFile,
    rows: Int[ndarray, " clip"],
    seeds: Sequence[int],
    device: torch.device,
) -> Scores:
    """Return the scores of drawn clips, by prior, and of clips that they can be compared with.

    `_real`: other real clips of the split; `_train`: clips of the train split, which have other
    appearances, as drawn ones have; `_reconstructed`: what the decoder itself loses. All kinds have
    the same number of clips, at most half of the rows. Empty if that is below `FEWEST`.
    """
    count = min(len(rows) // 2, len(clips.split("train")) // 2, MOST)
    if count < FEWEST:
        return {}
    # in a random order: clips of one identity are neighbours
    order = np.random.default_rng(0).permutation(rows)
    chosen, others = order[:count], order[count : 2 * count]
    reference = Reference(summarize(judge, read_clips(clips, chosen, device)), clips)
    train = reference.copies.others[:count]
    scores = {
        "_real": reference.scores(summarize(judge, read_clips(clips, others, device))),
        "_train": reference.scores(summarize(judge, read_clips(clips, train, device))),
    }
    if isinstance(model, S3VAE):
        reconstructed = decoded_clips(model, encode(model, clips, chosen, device))
        scores["_reconstructed"] = reference.scores(summarize(judge, reconstructed))
    drawn = []
    for seed in seeds:
        videos = clips_by_prior(model, clips, chosen, seed, device)
        drawn.append(
            named({end: reference.scores(summarize(judge, each)) for end, each in videos.items()})
        )
    return named(scores) | over_seeds(drawn)


def named(scores: Mapping[str, Scores]) -> Scores:
    """Return scores by the end of their names as scores by name."""
    return {
        f"generated_{name}{end}": value
        for end, each in scores.items()
        for name, value in each.items()
    }


def read_clips(
    clips: ClipFile, rows: Int[ndarray, " clip"], device: torch.device
) -> Iterator[Video]:
    """Read clips in batches."""
    return (batch() for batch in video_batches(clips, rows, device))
