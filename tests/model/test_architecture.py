"""Architectures: presets with changes."""

import pytest
from pydantic import ValidationError

from s3vae.model.architecture import PRESETS, Architecture, architecture


def test_the_paper_preset_has_the_numbers_of_the_paper() -> None:
    paper = architecture("paper")
    sizes = (paper.features, paper.recurrent, paper.static, paper.dynamic)
    assert sizes == (128, 256, 256, 32)
    assert (paper.encoder_width, paper.encoder_width * 8) == (64, 512)
    assert (paper.static_posterior, paper.causal) == ("bilstm", True)


def test_a_preset_may_be_changed_and_stays_as_it_was() -> None:
    changed = architecture("fast", causal=False, static=7)
    assert (changed.causal, changed.static) == (False, 7)
    assert changed.dynamic == PRESETS["fast"].dynamic
    assert PRESETS["fast"].causal


@pytest.mark.parametrize(
    ("name", "value"),
    [("colour", 3), ("static", 0), ("channels", 2), ("encoder", "resnet"), ("causal", "perhaps")],
)
def test_what_no_architecture_has_is_refused_by_its_name(name: str, value: object) -> None:
    with pytest.raises(ValidationError, match=name):
        architecture("fast", **{name: value})


def test_an_architecture_does_not_change() -> None:
    with pytest.raises(AttributeError):
        Architecture().static = 3  # type: ignore[misc]


def test_a_framewise_posterior_with_a_future_is_refused() -> None:
    with pytest.raises(ValueError, match="neither past nor future"):
        architecture("fast", framewise=True, causal=False)
