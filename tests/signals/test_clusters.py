"""Laws of motion clusters."""

import os
import subprocess
import sys

import numpy as np
import pytest

from s3vae.signals.clusters import (
    ClusterSettings,
    MotionClusters,
    best_number,
    motion_clusters,
    motion_vectors,
    standardised,
)

FEW = ClusterSettings(candidates=(2, 3, 4, 5), restarts=3)


def clusters_of(cells: np.ndarray, settings: ClusterSettings = FEW) -> MotionClusters:
    """The clusters of clips that all belong to the training split."""
    return motion_clusters(cells, np.arange(len(cells)), settings)


def motions(kinds: int, clips: int = 40, noise: float = 0.1, seed: int = 0) -> np.ndarray:
    """Cells of clips with one of some kinds of motion; clips i and i + kinds have the same."""
    generator = np.random.default_rng(seed)
    means = generator.normal(0, 1, (kinds, 4, 3, 3, 2))
    cells = means[np.arange(clips) % kinds] + generator.normal(0, noise, (clips, 4, 3, 3, 2))
    return np.concatenate([np.linalg.norm(cells, axis=-1, keepdims=True), cells], -1)


def same_partition(one: np.ndarray, other: np.ndarray) -> bool:
    """True if two labellings define the same partition of the clips."""
    return bool(((one[:, None] == one) == (other[:, None] == other)).all())


@pytest.mark.parametrize("kinds", [2, 3, 4])
def test_as_many_clusters_are_found_as_there_are_kinds_of_motion(kinds: int) -> None:
    result = clusters_of(motions(kinds))
    assert result.number == kinds
    assert max(result.silhouettes, key=lambda number: result.silhouettes[number]) == kinds
    assert same_partition(result.labels, np.arange(40) % kinds)


def test_without_structure_there_is_one_cluster() -> None:
    noise = np.random.default_rng(0).normal(0, 1, (200, 4, 3, 3, 3))
    result = clusters_of(np.abs(noise))
    assert result.number == 1
    assert not result.labels.any()
    assert max(result.silhouettes.values()) < FEW.least


def test_of_almost_equal_silhouettes_the_variance_ratio_decides() -> None:
    ratios = {6: 800.0, 7: 790.0, 8: 760.0}
    assert best_number({6: 0.59, 7: 0.60, 8: 0.61}, ratios) == 6
    assert best_number({6: 0.50, 7: 0.60, 8: 0.61}, ratios) == 7
    assert best_number({6: 0.50, 7: 0.50, 8: 0.61}, ratios) == 8


@pytest.mark.parametrize("clips", [1, 2, 30])
def test_still_clips_and_single_clips_form_one_cluster(clips: int) -> None:
    still = clusters_of(np.zeros((clips, 4, 3, 3, 3)))
    assert (still.number, still.labels.tolist()) == (1, [0] * clips)


def test_the_same_seed_gives_the_same_clusters() -> None:
    cells = motions(4, clips=300, noise=1.5)
    once, again = clusters_of(cells), clusters_of(cells)
    np.testing.assert_array_equal(once.labels, again.labels)
    assert once.silhouettes == again.silhouettes


def test_clips_outside_the_subset_are_clustered_too() -> None:
    settings = ClusterSettings(candidates=(2, 3, 4), restarts=3, subset=30)
    result = clusters_of(motions(3, clips=120), settings)
    assert same_partition(result.labels, np.arange(120) % 3)


def test_the_scale_of_a_clip_does_not_change_its_vector() -> None:
    cells, scales = motions(3), np.random.default_rng(1).uniform(0.1, 10, (40, 1, 1, 1, 1))
    plain, scaled = (motion_vectors(each, np.arange(40)) for each in (cells, cells * scales))
    np.testing.assert_allclose(scaled, plain, atol=1e-9)


def test_the_unit_of_a_signal_does_not_change_standardised_vectors() -> None:
    vectors = motions(3).reshape(40, -1)
    plain, larger = (standardised(each, np.arange(40)) for each in (vectors, 1000 * vectors))
    np.testing.assert_allclose(larger, plain, atol=1e-6)


def test_clips_outside_training_join_the_nearest_cluster_and_change_nothing() -> None:
    cells, train = motions(3, clips=60), np.arange(30)
    result = motion_clusters(cells, train, FEW)
    assert same_partition(result.labels, np.arange(60) % 3)
    others = cells.copy()
    others[30:] = np.random.default_rng(5).normal(0, 9, others[30:].shape)
    again = motion_clusters(others, train, FEW)
    np.testing.assert_array_equal(again.labels[:30], result.labels[:30])
    assert again.silhouettes == result.silhouettes


POOLS = """
import numpy as np
from threadpoolctl import threadpool_info
from s3vae.signals import clusters
def look(*_):
    import sklearn.decomposition
    print({pool["num_threads"] for pool in threadpool_info()})
    raise SystemExit
clusters._principal_components = look
clusters.vector_clusters(np.zeros((4, 2)), np.arange(4), clusters.ClusterSettings())
"""


def test_clusters_are_computed_on_one_thread_although_libraries_come_late() -> None:
    """As in a stage, where nothing has imported scikit-learn before."""
    free = {name: text for name, text in os.environ.items() if not name.startswith("OMP_")}
    command = [sys.executable, "-c", POOLS]
    done = subprocess.run(command, env=free, capture_output=True, text=True, check=True)
    assert done.stdout == "{1}\n"
