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
from sklearn.metrics import silhouette_score
from threadpoolctl import threadpool_limits

from s3vae.settings import STRICT

QUIET = 0.25
"""The share of the mean variance added to each number's: standardised, quiet cells are not loud."""


@dataclass(frozen=True, config=STRICT)
class ClusterSettings:
    """How clips are described, and how their clusters are found and counted.

    `own_scale`: each clip's motion is first divided by its own mean magnitude, so that fast and
    slow clips, and large and small objects, may be in one cluster. `components`: as many principal
    components as describe a clip; the rest is mostly texture. The number of clusters is the
    candidate of greatest silhouette, on at most `subset` clips; below the silhouette `least` there
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
    cells: Float[ndarray, "clip pair rows columns 3"], settings: ClusterSettings
) -> MotionClusters:
    """Clusters of clips by the motion of all their cells and frame pairs; the same seed, the same.

    One thread: with several, k-means adds up in an order that changes from run to run.
    """
    with threadpool_limits(1):
        features = motion_features(cells, settings.own_scale, settings.components)
        silhouettes = _silhouettes(features, settings)
        best = max(silhouettes, key=silhouettes.__getitem__, default=1)
        if best == 1 or silhouettes[best] < settings.least:
            return MotionClusters(np.zeros(len(cells), np.int64), 1, silhouettes)
        labels = _k_means(features, best, settings)
    return MotionClusters(labels, best, silhouettes)


def motion_features(
    cells: Float[ndarray, "clip pair rows columns 3"], own_scale: bool, components: int
) -> Float[ndarray, "clip feature"]:
    """A clip's cell motion of all frame pairs, standardised over clips: its principal components.

    To each number's variance a share of the mean one is added, or cells in which hardly anything
    moves would count as much as the others.
    """
    vectors = cells.reshape(len(cells), -1).astype(np.float64)
    if own_scale:
        scale = cells[..., 0].mean(axis=(1, 2, 3), dtype=np.float64)[:, None]
        vectors = vectors / np.where(scale > 0, scale, 1)
    vectors = vectors - vectors.mean(axis=0)
    variance = (vectors**2).mean(axis=0)
    if not variance.any():
        return np.zeros((len(cells), 1))
    vectors /= np.sqrt(variance + QUIET * variance.mean())
    fit = PCA(min(components, *vectors.shape), svd_solver="full")
    features: ndarray = fit.fit_transform(vectors)
    return features


def _silhouettes(
    features: Float[ndarray, "clip feature"], settings: ClusterSettings
) -> dict[int, float]:
    """Of each candidate that leaves clusters more than one clip; none where all clips are alike."""
    generator = np.random.default_rng(settings.seed)
    count = min(settings.subset, len(features))
    chosen = features[np.sort(generator.choice(len(features), count, replace=False))]
    distinct = len(np.unique(chosen, axis=0))
    return {
        number: float(silhouette_score(chosen, _k_means(chosen, number, settings)))
        for number in settings.candidates
        if number < distinct
    }


def _k_means(
    features: Float[ndarray, "clip feature"], number: int, settings: ClusterSettings
) -> Int64[ndarray, " clip"]:
    means = KMeans(number, n_init=settings.restarts, random_state=settings.seed).fit(features)
    labels: ndarray = means.labels_.astype(np.int64)
    return labels
