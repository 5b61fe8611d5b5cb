"""The scores of a version, computed again."""

import pytest
from mlflow.entities.model_registry import ModelVersion

from pipelines.retraining import verify
from pipelines.retraining.versions import SCORED, RegistryError


def test_a_score_that_is_missing_now_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = SCORED[:2]
    tags = {f"score.{first}": "0.5", f"score.{second}": "0.25", "dataset": "toy", "method": "tiny"}
    version = ModelVersion("toy-tiny", "3", 0, tags=[])
    monkeypatch.setattr(ModelVersion, "tags", tags)
    monkeypatch.setattr(verify.Registry, "champion", lambda self, name: version)
    monkeypatch.setattr(verify.Registry, "__init__", lambda self: None)
    monkeypatch.setattr(verify, "compute_scores", lambda version: {first: 0.5, second: None})
    monkeypatch.setattr(verify, "measured_on", lambda *_: None)
    monkeypatch.setattr(verify, "stages", lambda folder: {})
    lines = verify.verified_scores("toy-tiny")
    assert next(lines).endswith("now 0.500000")
    assert next(lines).endswith("now not scored")
    with pytest.raises(RegistryError, match=f"version 3 does not give its {second}"):
        next(lines)
