"""The tool that puts a trained model among those of the package."""

import json
from pathlib import Path

import pytest

from pipelines.paths import Layout
from pipelines.tools import zoo
from s3vae.app.load import load
from s3vae.baselines.saved import save_model
from s3vae.data.clips import ClipSet, write_clips
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE


def test_a_model_is_added_with_its_scores_and_its_card(
    squares_set: ClipSet, tiny: Architecture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(zoo, "ZOO", tmp_path / "zoo")
    monkeypatch.setitem(zoo.LIMITS, "squares", "It knows squares.")
    files = Layout("squares")
    write_clips(files.clips, squares_set)
    save_model(S3VAE(tiny), files.model("tiny"))
    files.scores("tiny").mkdir(parents=True)
    (files.scores("tiny") / "metrics.json").write_text(json.dumps({"accuracy": 0.5, "akd": 1}))
    made = {"commit": "0123456789", "steps": 1234}
    (files.scores("tiny") / "environment.json").write_text(json.dumps(made))
    folder = zoo.add(files, "tiny")
    assert folder == tmp_path / "zoo" / "squares"
    card = (folder / "README.md").read_text()
    for text in (
        "`tiny`, 1,234 steps",
        "commit `0123456`",
        "It knows squares",
        "| Acc % | 50.00 |",
    ):
        assert text in card
    assert "AKD" not in card
    model = load(folder, "cpu")
    assert model.preparation.time == squares_set.shape[1]
    assert model.model.static_prior is not None
    assert model.known_error is not None
