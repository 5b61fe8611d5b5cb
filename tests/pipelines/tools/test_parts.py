"""The names of what changes with each part of the learned prior."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from pipelines.tools import parts
from s3vae.evaluation.codes import Codes
from s3vae.model.static_prior import StaticPrior

CLIPS = 40


@pytest.fixture
def prior() -> StaticPrior:
    """Three parts of 2, 2 and 1 sources, which are the dimensions of z_f."""
    return StaticPrior(5, [(1, 2), (1, 2), (1, 1)])


def names(prior: StaticPrior, monkeypatch: pytest.MonkeyPatch, *factors: str) -> Any:
    """Name the parts where the judge sees the sign of a dimension of z_f as each factor."""
    codes = Codes(torch.randn(CLIPS, 5), torch.zeros(CLIPS, 1, 1))
    seen = {"hair": 0, "top": 1, "shoes": 2, "never": None}

    def judged(_model: Any, _judge: Any, codes: Codes) -> dict[str, Any]:
        values = {
            name: np.zeros(CLIPS) if at is None else (codes.static[:, at] > 0).numpy()
            for name, at in seen.items()
            if name in factors
        }
        return {name: np.eye(2)[value.astype(int)] for name, value in values.items()}

    monkeypatch.setattr(parts, "encode", lambda *_: codes)
    monkeypatch.setattr(parts, "predict_codes", judged)
    clips: Any = SimpleNamespace(
        static_factors=[SimpleNamespace(name=each) for each in factors],
        split=lambda _: np.arange(CLIPS),
    )
    model: Any = SimpleNamespace(static_prior=prior)
    return parts.part_names(model, SimpleNamespace(), clips)  # type: ignore[arg-type]


def test_a_part_has_the_name_of_what_it_changes(
    prior: StaticPrior, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert names(prior, monkeypatch, "hair", "shoes") == ["hair", "shoes", None]
    assert names(prior, monkeypatch, "hair", "top", "shoes") == ["hair and top", "shoes", None]
    assert names(prior, monkeypatch, "hair", "never") == ["hair", None, None]
    again = StaticPrior(5, [(1, 2), (1, 2), (1, 1)])
    again.mixing.copy_(torch.eye(5)[[0, 2, 0, 3, 4]])  # both parts draw dimension 0
    assert names(again, monkeypatch, "hair", "never") == ["hair", "hair 2", None]


def test_a_mixing_of_the_dimensions_is_undone(
    prior: StaticPrior, monkeypatch: pytest.MonkeyPatch
) -> None:
    prior.mixing.copy_(torch.eye(5)[[2, 3, 0, 1, 4]])  # the first part draws dimensions 2 and 3
    assert names(prior, monkeypatch, "hair", "shoes") == ["shoes", "hair", None]


def test_one_factor_names_nothing(prior: StaticPrior, monkeypatch: pytest.MonkeyPatch) -> None:
    assert names(prior, monkeypatch, "hair") == []
