"""Clusters of clips with similar motion, found without labels.

Motion exchange (docs/method.md) shifts codes between these clusters. They must therefore depend on
motion alone: with too many clusters, or with features of texture, they depend on appearance too.
"""

from collections.abc import Mapping
from dataclasses import dataclass as value
from typing import TYPE_CHECKING, Annotated

import numpy as np
from jaxtyping import Float, Int64, UInt8
from numpy import ndarray
from pydantic import Field, PositiveInt
from pydantic.dataclasses import dataclass
from threadpoolctl import threadpool_limits

from s3vae.settings import STRICT

if TYPE_CHECKING:
    from sklearn.cluster import KMeans

REGULARISATION = 0.25
"""The share of the mean variance that is added to each dimension's before standardising."""

NEAR_BEST = 0.95
"""The share of the best silhouette from which a candidate counts as equally good."""

HUES = 8
"""The largest number of clusters of mean colours."""

Cells = Float[ndarray, "clip pair rows columns 3"]
Vectors = Float[ndarray, "clip dimension"]
Features = Float[ndarray, "clip feature"]
TrainClips = Int64[ndarray, " train"]


@dataclass(frozen=True, config=STRICT)
class ClusterSettings:
    """The features of a clip, and the search for the number of clusters.

    `components`: number of principal components; the others are mostly texture. `candidates`:
    numbers of clusters tried, on at most `subset` clips; `least`: if no silhouette reaches it, all
    clips form one cluster (the best one is .86 on Sprites and .62 on dSprites; .33 on filmed
    people, whose motions form no clusters). `restarts`: runs of k-means, of which the best is used.
    """

    components: PositiveInt = 8
    candidates: tuple[Annotated[int, Field(ge=2)], ...] = tuple(range(2, 17))
    least: Annotated[float, Field(ge=-1, le=1)] = 0.45
    subset: Annotated[int, Field(ge=3)] = 2000
    restarts: PositiveInt = 10
    seed: int = 0


@value(frozen=True, eq=False)
class MotionClusters:
    """The cluster of each clip, the number of clusters, and the silhouette of each candidate."""

    labels: Int64[ndarray, " clip"]
    number: int
    silhouettes: Mapping[int, float]


def motion_clusters(cells: Cells, train: TrainClips, settings: ClusterSettings) -> MotionClusters:
    """Cluster clips by the motion of all their cells and frame pairs."""
    return vector_clusters(motion_vectors(cells, train), train, settings)


def vector_clusters(
    vectors: Vectors, train: TrainClips, settings: ClusterSettings
) -> MotionClusters:
    """Cluster clips by one standardised vector each; the seed determines the result.

    Clusters are fitted to the clips with the indices `train`; others join the nearest one. k-means
    runs on one thread, since several would sum in an order that differs from run to run.
    """
    import sklearn.cluster  # noqa: F401  limits reach only libraries that are loaded

    with threadpool_limits(1):
        features = _principal_components(vectors, train, settings.components)
        silhouettes, ratios = _candidate_scores(vectors[train], features[train], settings)
        if max(silhouettes.values(), default=-1) < settings.least:
            return MotionClusters(np.zeros(len(vectors), np.int64), 1, silhouettes)
        number = best_number(silhouettes, ratios)
        labels = _k_means(features[train], number, settings).predict(features)
        return MotionClusters(labels.astype(np.int64), number, silhouettes)


def motion_vectors(cells: Cells, train: TrainClips) -> Vectors:
    """Flatten each clip's cell motion to a vector, standardised over the training clips.

    Motion is divided by its own mean magnitude in a clip, so that a cluster may contain fast and
    slow clips, large and small objects.
    """
    vectors = cells.reshape(len(cells), -1).astype(np.float64)
    scale = cells[..., 0].mean(axis=(1, 2, 3), dtype=np.float64)[:, None]
    return standardised(vectors / np.where(scale > 0, scale, 1), train)


def standardised(vectors: Vectors, train: TrainClips) -> Vectors:
    """Subtract the mean over training clips from each dimension and divide by its deviation.

    Each variance is regularised by a share of the mean variance; otherwise cells with hardly any
    motion would weigh as much as the others.
    """
    vectors = vectors - vectors[train].mean(axis=0)
    variance = (vectors[train] ** 2).mean(axis=0)
    if variance.any():
        vectors /= np.sqrt(variance + REGULARISATION * variance.mean())
    return vectors


def _principal_components(vectors: Vectors, train: TrainClips, components: int) -> Features:
    from sklearn.decomposition import PCA

    fitted = vectors[train]
    if not fitted.any():
        return np.zeros((len(vectors), 1))
    principal = PCA(min(components, *fitted.shape), svd_solver="full").fit(fitted)
    features: ndarray = principal.transform(vectors)
    return features


def _candidate_scores(
    vectors: Vectors, features: Features, settings: ClusterSettings
) -> tuple[dict[int, float], dict[int, float]]:
    """Return the silhouette of the features and the variance ratio of the vectors per candidate.

    Candidates of at least as many clusters as there are distinct clips are left out.
    """
    from sklearn.metrics import calinski_harabasz_score, silhouette_score

    generator = np.random.default_rng(settings.seed)
    count = min(settings.subset, len(features))
    sample = np.sort(generator.choice(len(features), count, replace=False))
    vectors, features = vectors[sample], features[sample]
    distinct = len(np.unique(features, axis=0))
    labels = {
        number: _k_means(features, number, settings).labels_
        for number in settings.candidates
        if number < distinct
    }
    return (
        {number: float(silhouette_score(features, each)) for number, each in labels.items()},
        {number: float(calinski_harabasz_score(vectors, each)) for number, each in labels.items()},
    )


def best_number(silhouettes: Mapping[int, float], ratios: Mapping[int, float]) -> int:
    """Return the candidate of greatest variance ratio among those of nearly the best silhouette.

    Silhouettes of neighbouring candidates are too close to decide. The ratio of the variance
    between clusters to that within them (Calinski and Harabasz 1974) decreases where further
    splitting explains little.
    """
    near = NEAR_BEST * max(silhouettes.values())
    return max((n for n in silhouettes if silhouettes[n] >= near), key=ratios.__getitem__)


def colour_dependence(
    frames: UInt8[ndarray, "clip time height width channel"], clusters: Int64[ndarray, " clip"]
) -> float:
    """Return the adjusted mutual information of motion clusters and clusters of mean colours.

    It is 1 for equal partitions and 0 on average for independent ones (Vinh et al. 2010). The mean
    colour of a clip is divided by its sum, since poses change how much of an object is visible.
    """
    import sklearn.cluster  # noqa: F401  limits reach only libraries that are loaded
    from sklearn.metrics import adjusted_mutual_info_score

    means = frames.mean(axis=(1, 2, 3))
    hues = (means / np.maximum(means.sum(axis=1, keepdims=True), 1)).round(3)
    number = min(HUES, len(np.unique(hues, axis=0)))
    with threadpool_limits(1):
        of_colour = _k_means(hues, number, ClusterSettings()).labels_
    return float(adjusted_mutual_info_score(clusters, of_colour))


def _k_means(features: Features, number: int, settings: ClusterSettings) -> "KMeans":
    from sklearn.cluster import KMeans  # takes a second

    means = KMeans(number, n_init=settings.restarts, random_state=settings.seed)
    return means.fit(features)
