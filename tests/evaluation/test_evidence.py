"""The judge's probabilities on disk: enough to compute every score again."""

from pathlib import Path

import numpy as np

from s3vae.data.clips import Factor
from s3vae.evaluation.evidence import evidence, write_evidence
from s3vae.evaluation.protocol import Draws, Subject

FACTORS = (Factor("colour", "static", ("a", "b")), Factor("motion", "dynamic", ("x", "y", "z")))
LABELS = {"colour": np.array([0, 1, 1]), "motion": np.array([2, 0, 1])}


def judged(seed: int) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    return {"colour": generator.random((3, 2)), "motion": generator.random((3, 3))}


def arrays() -> dict[str, np.ndarray]:
    draws = {seed: Draws(judged(1), judged(2), judged(3), np.array([1, 2, 0])) for seed in (4, 5)}
    return evidence(Subject(FACTORS, LABELS, judged(0)), judged(9), draws)


def test_everything_that_was_judged_is_there_by_name_with_the_labels_and_donors() -> None:
    found = arrays()
    whats = ["real", "reconstruction"]
    whats += [f"{what} {seed}" for seed in (4, 5) for what in ("appearance", "motion", "swap")]
    expected = {f"{what} {name}" for what in [*whats, "label"] for name in LABELS}
    assert found.keys() == expected | {"donor 4", "donor 5"}
    np.testing.assert_allclose(found["swap 5 motion"], judged(3)["motion"], rtol=1e-6)
    assert np.array_equal(found["label colour"], LABELS["colour"])


def test_an_archive_holds_the_arrays_and_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    first, second = tmp_path / "one.npz", tmp_path / "other.npz"
    for path in (first, second):
        write_evidence(path, arrays())
    assert first.read_bytes() == second.read_bytes()
    with np.load(first, allow_pickle=False) as archive:
        for name, array in arrays().items():
            assert np.array_equal(archive[name], array)
