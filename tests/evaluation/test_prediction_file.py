"""The judge's predictions on disk."""

from pathlib import Path

import numpy as np

from s3vae.data.clips import Factor
from s3vae.evaluation.prediction_file import prediction_arrays, write_predictions
from s3vae.evaluation.protocol import Draws, RealClips

FACTORS = (Factor("colour", "static", ("a", "b")), Factor("motion", "dynamic", ("x", "y", "z")))
LABELS = {"colour": np.array([0, 1, 1]), "motion": np.array([2, 0, 1])}


def predictions(seed: int) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    return {"colour": generator.random((3, 2)), "motion": generator.random((3, 3))}


def arrays() -> dict[str, np.ndarray]:
    draws = {
        seed: Draws(predictions(1), predictions(2), predictions(3), np.array([1, 2, 0]))
        for seed in (4, 5)
    }
    return prediction_arrays(RealClips(FACTORS, LABELS, predictions(0)), predictions(9), draws)


def test_all_predictions_are_named_beside_labels_and_donors() -> None:
    named = arrays()
    kinds = ["label", "real", "reconstruction"]
    kinds += [f"{kind} {seed}" for seed in (4, 5) for kind in ("appearance", "motion", "swap")]
    expected = {f"{kind} {name}" for kind in kinds for name in LABELS}
    assert named.keys() == expected | {"donor 4", "donor 5"}
    np.testing.assert_allclose(named["swap 5 motion"], predictions(3)["motion"], rtol=1e-6)
    assert np.array_equal(named["label colour"], LABELS["colour"])


def test_an_archive_holds_the_arrays_and_equal_arrays_give_equal_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "one.npz", tmp_path / "other.npz"
    for path in (first, second):
        write_predictions(path, arrays())
    assert first.read_bytes() == second.read_bytes()
    with np.load(first, allow_pickle=False) as archive:
        for name, array in arrays().items():
            assert np.array_equal(archive[name], array)
