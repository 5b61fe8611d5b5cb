"""The tool that puts a trained model among those of the package."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from pipelines.dvc_lock import stages
from pipelines.io import write_json
from pipelines.params import section
from pipelines.paths import Layout
from pipelines.stages.acquire import acquire
from pipelines.tools import zoo
from s3vae.app.config import ZOO, read_config, zoo_names
from s3vae.app.load import load
from s3vae.data.clips import ClipFile, ClipSet
from s3vae.data.datasets import DataSet
from s3vae.evaluation.encoded import encode_clips
from s3vae.evaluation.metrics import metric
from s3vae.evaluation.protocol import RealClips, drawn_scores, predict_draws
from s3vae.judge.network import Judge
from s3vae.judge.predictions import predict_clips
from s3vae.judge.saved import load_judge
from s3vae.model.s3vae import S3VAE

ROOT = Path(__file__).parents[3]
BENCHMARK = ROOT / "benchmark"
CPU = torch.device("cpu")


def test_a_model_is_added_with_its_scores_and_its_card(
    squares: Layout, squares_set: ClipSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zoo, "ZOO", tmp_path / "zoo")
    monkeypatch.setitem(zoo.LIMITS, "squares", "It knows squares.")
    scores = squares.scores("tiny")
    write_json(scores / "metrics.json", {"accuracy": 0.5, "akd": 1})
    write_json(scores / "environment.json", {"commit": "0123456789", "steps": 1234})
    folder = zoo.add(squares, "tiny")
    assert folder == tmp_path / "zoo" / "squares"
    card = (folder / "README.md").read_text()
    for text in ("`tiny`, 1,234 steps", "commit `0123456`", "It knows squares", "Acc % | 50.00"):
        assert text in card
    assert "AKD" not in card
    model = load(folder, "cpu")
    assert model.preparation.time == squares_set.shape[1]
    assert model.model.static_prior is not None
    assert model.preparation.error_per_pixel is not None
    assert model.part_names == []  # one static factor


@pytest.mark.slow
@pytest.mark.parametrize("name", zoo_names())
def test_a_model_of_the_package_has_the_error_and_the_scores_that_its_card_states(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = os.environ.get("S3VAE_MIRROR") or str(ROOT.parent / "shared" / "mirror")
    monkeypatch.chdir(ROOT)
    settings: DataSet = section(DataSet, name, "data")  # type: ignore[arg-type]
    if settings.files and not Path(mirror).is_dir():
        pytest.skip("no mirror of the real data sets: set S3VAE_MIRROR")
    monkeypatch.setenv("S3VAE_MIRROR", mirror)
    acquire(name, settings, tmp_path / "clips.h5", tmp_path)
    clips, model = ClipFile(tmp_path / "clips.h5"), load(name, "cpu").model
    facts = read_config(ZOO / name)["facts"]
    assert zoo.decoded(model, clips)[1] == pytest.approx(facts["reconstruction_error"], rel=0.01)
    judge = judge_of(name, tmp_path / "judge")
    if judge is None:
        pytest.skip(f"the project has no judge of {name}")
    scores, titles = scores_of_some_clips(model, judge, clips), facts["scores"]
    compared = ("static_preserved", "swap_static", "swap_dynamic")
    stated = {key: titles[metric(key).title] for key in compared if metric(key).title in titles}
    assert len(stated) >= 2
    for key, text in stated.items():
        assert 100 * scores[key] == pytest.approx(float(text), abs=10)


def judge_of(dataset: str, folder: Path) -> Judge | None:
    """Load the judge of the benchmark from the project's DVC remote, if it is there."""
    outs = stages(BENCHMARK)[f"judge@{dataset}"]["outs"]
    checksum = next(out["md5"] for out in outs if out["path"].endswith("judge"))
    if not remote(checksum).exists():
        return None
    folder.mkdir()
    for file in json.loads(remote(checksum).read_text()):
        shutil.copy(remote(file["md5"]), folder / file["relpath"])
    return load_judge(folder, CPU)


def remote(checksum: str) -> Path:
    return BENCHMARK / "judges" / "files" / "md5" / checksum[:2] / checksum[2:]


def scores_of_some_clips(model: S3VAE, judge: Judge, clips: ClipFile) -> dict[str, float]:
    """Return the scores of 64 test clips for one sampling seed."""
    rows = np.random.default_rng(0).permutation(clips.split("test"))[: zoo.CHECKED]
    labels = {factor.name: clips.labels(factor.name)[rows] for factor in clips.factors}
    real = RealClips(clips.factors, labels, predict_clips(judge, clips, rows, CPU))
    encoded = encode_clips(model, judge, clips, rows, real, CPU)
    return drawn_scores(real, predict_draws(model, judge, encoded.codes, 0))
