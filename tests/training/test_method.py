"""A method, as params.yaml tells it."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from s3vae.engine.schedule import TrainingSettings
from s3vae.model.architecture import architecture
from s3vae.training.method import Method
from s3vae.training.presets import losses


def method(**changes: Any) -> Method:
    told = {
        "architecture": {"preset": "fast"},
        "losses": {"preset": "ours"},
        "training": {"steps": 3},
    }
    return TypeAdapter(Method).validate_python(told | changes)


def test_presets_are_expanded() -> None:
    assert method() == Method(architecture("fast"), losses("ours"), TrainingSettings(steps=3))


def test_changes_to_presets_are_made() -> None:
    changed = method(
        architecture={"preset": "paper", "static": 5},
        losses={"preset": "paper", "weights": {"static_kl": 9}, "exchange": {"decay": 0.5}},
    )
    assert changed.architecture == architecture("paper", static=5)
    assert changed.losses.weights.static_kl == 9
    assert changed.losses.exchange is not None
    assert changed.losses.exchange.decay == 0.5


@pytest.mark.parametrize("part", ["architecture", "losses"])
@pytest.mark.parametrize(
    ("told", "complaint"),
    [
        ({"preset": "fast", "colour": 3}, "colour"),
        ({"preset": "enormous"}, "enormous"),
        ({}, "preset"),
        ("fast", "dictionary"),
    ],
)
def test_what_is_not_understood_is_refused_by_its_name(
    part: str, told: object, complaint: str
) -> None:
    if part == "losses" and isinstance(told, dict) and told.get("preset") == "fast":
        told = told | {"preset": "ours"}
    with pytest.raises(ValidationError, match=complaint) as refusal:
        method(**{part: told})
    assert refusal.value.errors()[0]["loc"][0] == part
