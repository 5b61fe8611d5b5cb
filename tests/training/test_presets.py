"""Loss presets: the published weights, and changes by name."""

from typing import Any

import pytest

from s3vae.training.presets import PRESETS, Exchange, losses


def test_the_paper_weighs_its_signals_1000_100_and_1() -> None:
    weights = losses("paper").weights
    assert (weights.consistency, weights.factor_prediction, weights.independence) == (1000, 100, 1)
    assert (weights.reconstruction, weights.static_kl, weights.dynamic_kl) == (1, 1, 1)
    assert losses("paper").margin == 1


def test_the_released_code_has_other_weights_and_predicts_directions() -> None:
    settings = losses("released")
    weights = settings.weights
    assert (weights.consistency, weights.factor_prediction) == (100, 0.1)
    assert weights.independence == 0.01
    assert settings.signal == "top-cells+direction"


@pytest.mark.parametrize(("preset", "beyond"), [("paper", 0), ("released", 0), ("ours", 1)])
def test_only_ours_goes_beyond_the_paper(preset: str, beyond: bool) -> None:
    settings = losses(preset)
    assert (settings.exchange is not None) == beyond
    assert (settings.weights.aggregate > 0) == beyond
    assert (settings.mutual_information == "ours") == beyond


def test_a_change_of_a_preset_leaves_its_other_settings_and_the_preset_itself() -> None:
    changed = losses("ours", {"consistency": 7}, margin=3, exchange=Exchange(decay=0.5))
    ours = PRESETS["ours"]
    assert (changed.weights.consistency, changed.margin) == (7, 3)
    assert changed.weights.reconstruction == ours.weights.reconstruction
    assert changed.signal == ours.signal
    assert changed.exchange == Exchange(decay=0.5)
    assert (ours.weights.consistency, ours.margin) == (100, 1)


@pytest.mark.parametrize(
    ("weights", "changes", "message"),
    [
        ({"sharpness": 1}, {}, "sharpness"),
        ({}, {"same_cluster_swap": 0.5}, r"same_cluster_swap .* `exchange`"),
    ],
)
def test_a_setting_that_is_unknown_or_needs_another_is_refused(
    weights: dict[str, float], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        losses("paper", weights, **changes)
