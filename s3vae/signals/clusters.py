"""Which clips move alike: clusters of motion signals, found without labels.

Motion exchange (docs/method.md) exchanges codes between these clusters, so they must know of motion
alone: too many of them, or features that depend on texture, tie them to appearance.
"""

from collections.abc import Mapping
from dataclasses import dataclass as value
from typing import Annotated

import numpy as np
from jaxtyping import Float, Int64
from numpy import ndarray
from pydantic import Field, PositiveInt
from pydantic.dataclasses import dataclass
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import calinski_harabasz_score, silhouette_score
from threadpoolctl import threadpool_limits

from s3vae.settings import STRICT

QUIET = 0.25
"""The share of the mean variance added to each number's: standardised, quiet cells are not loud."""

NEAR = 0.95
"""Silhouettes at least this share of the best one are almost as good."""


@dataclass(frozen=True, config=STRICT)
class ClusterSettings:
    """How clips are described, and how their clusters are found and counted.

    `own_scale`: each clip's motion is first divided by its own mean magnitude, so that fast and
    slow clips, and large and small objects, may be in one cluster. `components`: as many principal
    components as describe a clip; the rest is mostly texture. How many clusters there
    are is judged on at most `subset` clips; where no candidate's silhouette reaches `least` there
    is nothing to exchange between: one cluster. The best of `restarts` runs of k-means is kept.
    """

    own_scale: bool = True
    components: PositiveInt = 8
    candidates: tuple[Annotated[int, Field(ge=2)], ...] = tuple(range(2, 17))
    least: Annotated[float, Field(ge=-1, le=1)] = 0.3
    subset: Annotated[int, Field(ge=3)] = 2000
    restarts: PositiveInt = 10
    seed: int = 0


@value(frozen=True, eq=False)
class MotionClusters:
    """The cluster of each clip, how many there are, and the silhouette of each number tried."""

    labels: Int64[ndarray, " clip"]
    number: int
    silhouettes: Mapping[int, float]


def motion_clusters(
    cells: Float[ndarray, "clip pair rows columns 3"],
    train: Int64[ndarray, " train"],
    settings: ClusterSettings,
) -> MotionClusters:
    """Clusters of clips by the motion of all their cells and frame pairs."""
    with threadpool_limits(1):
        vectors = motion_vectors(cells, train, settings.own_scale)
        return vector_clusters(vectors, train, settings)


def vector_clusters(
    vectors: Float[ndarray, "clip number"],
    train: Int64[ndarray, " train"],
    settings: ClusterSettings,
) -> MotionClusters:
    """Clusters of clips by a standardised vector each; the same seed, the same.

    They are found among the clips numbered `train`; every other clip is of the nearest one.
    One thread: with several, k-means adds up in an order that changes from run to run.
    """
    with threadpool_limits(1):
        features = _principal(vectors, train, settings.components)
        silhouettes, ratios = _judged(vectors[train], features[train], settings)
        if max(silhouettes.values(), default=-1) < settings.least:
            return MotionClusters(np.zeros(len(vectors), np.int64), 1, silhouettes)
        number = best_number(silhouettes, ratios)
        labels = _k_means(features[train], number, settings).predict(features)
        return MotionClusters(labels.astype(np.int64), number, silhouettes)


def motion_vectors(
    cells: Float[ndarray, "clip pair rows columns 3"],
    train: Int64[ndarray, " train"],
    own_scale: bool,
) -> Float[ndarray, "clip number"]:
    """A clip's cell motion of all frame pairs in one vector, standardised over training clips."""
    vectors = cells.reshape(len(cells), -1).astype(np.float64)
    if own_scale:
        scale = cells[..., 0].mean(axis=(1, 2, 3), dtype=np.float64)[:, None]
        vectors = vectors / np.where(scale > 0, scale, 1)
    return standardised(vectors, train)


def standardised(
    vectors: Float[ndarray, "clip number"], train: Int64[ndarray, " train"]
) -> Float[ndarray, "clip number"]:
    """Each number less its mean over training clips, over its deviation there.

    To each number's variance a share of the mean one is added, or cells in which hardly anything
    moves would count as much as the others.
    """
    vectors = vectors - vectors[train].mean(axis=0)
    variance = (vectors[train] ** 2).mean(axis=0)
    if variance.any():
        vectors /= np.sqrt(variance + QUIET * variance.mean())
    return vectors


def _principal(
    vectors: Float[ndarray, "clip number"], train: Int64[ndarray, " train"], components: int
) -> Float[ndarray, "clip feature"]:
    known = vectors[train]
    if not known.any():
        return np.zeros((len(vectors), 1))
    principal = PCA(min(components, *known.shape), svd_solver="full").fit(known)
    features: ndarray = principal.transform(vectors)
    return features


def _judged(
    vectors: Float[ndarray, "clip number"],
    features: Float[ndarray, "clip feature"],
    settings: ClusterSettings,
) -> tuple[dict[int, float], dict[int, float]]:
    """Silhouette (of the features) and variance ratio (of all numbers) of each candidate.

    Candidates that leave no cluster more than one clip are left out: all, where clips are alike.
    """
    generator = np.random.default_rng(settings.seed)
    count = min(settings.subset, len(features))
    chosen = np.sort(generator.choice(len(features), count, replace=False))
    vectors, features = vectors[chosen], features[chosen]
    distinct = len(np.unique(features, axis=0))
    labels = {
        number: _k_means(features, number, settings).labels_
        for number in settings.candidates
        if number < distinct
    }
    silhouettes = {
        number: float(silhouette_score(features, each)) for number, each in labels.items()
    }
    ratios = {
        number: float(calinski_harabasz_score(vectors, each)) for number, each in labels.items()
    }
    return silhouettes, ratios


def best_number(silhouettes: Mapping[int, float], ratios: Mapping[int, float]) -> int:
    """Of the candidates of almost the best silhouette, that of greatest variance ratio.

    Silhouettes of neighbouring numbers are too close to choose by: the ratio between the variance
    between clusters and within them (Calinski and Harabasz 1974) says where splitting ends to pay.
    """
    near = NEAR * max(silhouettes.values())
    return max((n for n in silhouettes if silhouettes[n] >= near), key=ratios.__getitem__)


def _k_means(
    features: Float[ndarray, "clip feature"], number: int, settings: ClusterSettings
) -> KMeans:
    means = KMeans(number, n_init=settings.restarts, random_state=settings.seed)
    return means.fit(features)
