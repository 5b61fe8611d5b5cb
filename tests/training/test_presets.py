"""Loss presets: the published numbers, and changes to them by name."""

from typing import Any

import pytest
from pydantic import ValidationError

from s3vae.training.presets import PRESETS, Exchange, losses


def test_the_paper_weighs_its_signals_1000_100_and_1() -> None:
    weights = losses("paper").weights
    assert (weights.consistency, weights.factor_prediction, weights.independence) == (1000, 100, 1)
    assert (weights.reconstruction, weights.static_kl, weights.dynamic_kl) == (1, 1, 1)
    assert losses("paper").margin == 1


def test_the_released_code_weighs_them_otherwise_and_predicts_directions() -> None:
    settings = losses("released")
    weights = settings.weights
    assert (weights.consistency, weights.factor_prediction) == (100, 0.1)
    assert weights.independence == 0.01
    assert settings.signal == "top-cells+direction"


def test_only_ours_goes_beyond_the_paper() -> None:
    for preset, beyond in (("paper", False), ("released", False), ("ours", True)):
        settings = losses(preset)
        assert (settings.exchange is not None) is beyond
        assert (settings.weights.aggregate > 0) is beyond
        assert (settings.mutual_information == "ours") is beyond


def test_weights_are_changed_one_by_one() -> None:
    changed = losses("ours", weights={"consistency": 7})
    assert changed.weights.consistency == 7
    assert changed.weights.reconstruction == PRESETS["ours"].weights.reconstruction
    assert PRESETS["ours"].weights.consistency != 7


def test_settings_are_changed_one_by_one() -> None:
    changed = losses("ours", margin=3, exchange=Exchange(decay=0.5))
    assert (changed.margin, changed.signal) == (3, PRESETS["ours"].signal)
    assert changed.exchange is not None
    assert changed.exchange.decay == 0.5
    assert losses("ours", exchange=None).exchange is None


def test_an_unknown_setting_is_refused_by_its_name() -> None:
    with pytest.raises(ValidationError, match="sharpness"):
        losses("ours", sharpness=1)


def test_an_unknown_weight_is_refused_by_its_name() -> None:
    with pytest.raises(ValidationError, match="sharpness"):
        losses("ours", weights={"sharpness": 1})


@pytest.mark.parametrize(
    ("name", "value"),
    [("margin", -1), ("decoded_frames", 0), ("same_cluster_swap", 1.5), ("signal", "sound")],
)
def test_a_value_out_of_range_is_refused_by_its_name(name: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=name):
        losses("ours", **{name: value})


def test_partners_without_an_exchange_are_refused() -> None:
    with pytest.raises(ValueError, match=r"same_cluster_swap .* add `exchange`"):
        losses("paper", same_cluster_swap=0.5)
    assert losses("ours", same_cluster_swap=0.5).same_cluster_swap == 0.5


def test_a_price_on_clusters_without_an_exchange_is_refused() -> None:
    price = {"cluster_alignment": 3.0}
    with pytest.raises(ValueError, match=r"cluster_alignment .* `exchange`"):
        losses("paper", weights=price)
    assert losses("ours", weights=price).weights.cluster_alignment == 3


def test_a_memory_of_an_aggregate_that_weighs_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"aggregate_decay .* weights.aggregate"):
        losses("paper", aggregate_decay=0.9)
    assert losses("paper", {"aggregate": 5}, aggregate_decay=0.9).aggregate_decay == 0.9
