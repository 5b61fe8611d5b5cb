"""The tool that puts a trained model among those of the package."""

import json
import os
from pathlib import Path

import pytest

from pipelines.params import section
from pipelines.paths import Layout
from pipelines.stages.acquire import acquire
from pipelines.tools import zoo
from s3vae.app.config import ZOO, read_config, zoo_names
from s3vae.app.load import load
from s3vae.baselines.saved import save_model
from s3vae.data.clips import ClipFile, ClipSet, write_clips
from s3vae.data.datasets import DataSet
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE

ROOT = Path(__file__).parents[3]


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


@pytest.mark.slow
@pytest.mark.parametrize("name", zoo_names())
def test_a_model_of_the_package_has_the_error_that_its_card_states(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = os.environ.get("S3VAE_MIRROR") or str(ROOT.parent / "shared" / "mirror")
    monkeypatch.chdir(ROOT)
    settings: DataSet = section(DataSet, name, "data")  # type: ignore[arg-type]
    if settings.files and not Path(mirror).is_dir():
        pytest.skip("no mirror of the real data sets: set S3VAE_MIRROR")
    monkeypatch.setenv("S3VAE_MIRROR", mirror)
    acquire(name, settings, tmp_path / "clips.h5", tmp_path)
    error = zoo.decoded(load(name, "cpu").model, ClipFile(tmp_path / "clips.h5"))[1]
    stated = read_config(ZOO / name)["facts"]["reconstruction_error"]
    assert error == pytest.approx(stated, rel=0.01)
