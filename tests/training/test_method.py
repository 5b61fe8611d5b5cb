"""A method as a config defines it."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from s3vae.engine.schedule import TrainingSettings
from s3vae.model.architecture import architecture
from s3vae.training.method import Method
from s3vae.training.presets import Exchange, losses


def method(**changes: Any) -> Method:
    settings = {
        "architecture": {"preset": "fast"},
        "losses": {"preset": "ours"},
        "training": {"steps": 3},
    }
    return TypeAdapter(Method).validate_python(settings | changes)


def test_presets_are_expanded_and_changed() -> None:
    assert method() == Method(architecture("fast"), losses("ours"), TrainingSettings(steps=3))
    changed = method(
        architecture={"preset": "paper", "static": 5},
        losses={"preset": "paper", "weights": {"static_kl": 9}, "exchange": {"decay": 0.5}},
    )
    assert changed.architecture == architecture("paper", static=5)
    assert changed.losses == losses("paper", {"static_kl": 9}, exchange=Exchange(decay=0.5))


@pytest.mark.parametrize(
    ("part", "settings", "message"),
    [
        ("architecture", {"preset": "fast", "colour": 3}, "colour"),
        ("losses", {"preset": "enormous"}, "enormous"),
        ("losses", {}, "preset"),
        ("losses", "fast", "dictionary"),
    ],
)
def test_settings_of_no_preset_are_refused_by_name_and_place(
    part: str, settings: object, message: str
) -> None:
    with pytest.raises(ValidationError, match=message) as refusal:
        method(**{part: settings})
    assert refusal.value.errors()[0]["loc"][0] == part


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        (
            {
                "architecture": {"preset": "fast", "decoder": "broadcast"},
                "training": {"steps": 3, "accelerated": True},
            },
            "would round the positions",
        ),
        (
            {"architecture": {"preset": "fast", "given_static": True}},
            "estimate of their mutual information leaves out",
        ),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(changes: dict[str, Any], rule: str) -> None:
    with pytest.raises(ValidationError, match=rule):
        method(losses={"preset": "released"}, **changes)
