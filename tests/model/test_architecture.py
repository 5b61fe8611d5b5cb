"""Architectures: presets with changes."""

import pytest

from s3vae.model.architecture import PRESETS, architecture


def test_the_paper_preset_has_the_sizes_of_the_paper() -> None:
    paper = architecture("paper")
    sizes = (paper.features, paper.recurrent, paper.static, paper.dynamic)
    assert sizes == (128, 256, 256, 32)
    assert paper.encoder_width == 64
    assert (paper.static_posterior, paper.causal) == ("bilstm", True)


def test_changing_a_preset_leaves_the_preset_itself_unchanged() -> None:
    changed = architecture("fast", causal=False, static=7)
    assert (changed.causal, changed.static) == (False, 7)
    assert changed.dynamic == PRESETS["fast"].dynamic
    assert PRESETS["fast"].causal


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"colour": 3}, "colour"),
        ({"framewise": True, "causal": False}, "neither past nor future"),
        ({"encoder": "objects", "static": 7}, "must be even"),
        ({"encoder": "objects", "decoder": "sprites", "static": 8, "dynamic": 3}, "at least 4"),
        ({"encoder": "objects", "static": 8, "given_static": True}, "and given_static"),
        ({"encoder": "objects", "static": 8, "static_posterior": "bilstm"}, "posterior: pooled"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(
    changes: dict[str, object], rule: str
) -> None:
    with pytest.raises(ValueError, match=rule):
        architecture("fast", **changes)
