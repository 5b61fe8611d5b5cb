"""The scores and pictures of a trained model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from s3vae.baselines.saved import save_model
from s3vae.data.clips import ClipFile, ClipSet, Factor, Split, write_clips
from s3vae.evaluation import evaluate, generation
from s3vae.evaluation.evaluate import (
    InaccurateJudgeError,
    check_judge,
    learning_curve,
    real_clips,
    score,
)
from s3vae.evaluation.metrics import GENERATED, names
from s3vae.evaluation.pictures import write_pictures
from s3vae.evaluation.protocol import RealClips
from s3vae.evaluation.settings import EvaluationSettings
from s3vae.judge.network import Judge
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE
from s3vae.tiles import GAP

CPU = torch.device("cpu")
SETTINGS = EvaluationSettings(
    sampling_seeds=(0,), least_judge_accuracy=0, picture_clips=2, probe_clips=12
)


@pytest.fixture
def model(tiny: Architecture) -> S3VAE:
    torch.manual_seed(0)
    return S3VAE(tiny).eval()


@pytest.fixture
def judge() -> Judge:
    return Judge({"colour": 2, "motion": 3}, channels=3, width=4).eval()


@pytest.fixture
def only_colours(squares_set: ClipSet, tmp_path: Path) -> ClipFile:
    """Return the squares without a dynamic factor."""
    factors = tuple(factor for factor in squares_set.factors if factor.name == "colour")
    labels = {"colour": squares_set.labels["colour"]}
    write_clips(tmp_path / "clips.h5", replace(squares_set, factors=factors, labels=labels))
    return ClipFile(tmp_path / "clips.h5")


@pytest.mark.parametrize("split", ["test", "val"])
def test_every_metric_but_those_of_faces_is_scored(
    model: S3VAE, clips: ClipFile, judge: Judge, split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation, "FEWEST", 4)
    real = real_clips(judge, clips, SETTINGS, CPU, split)
    scores, _ = score(model, judge, clips, real, SETTINGS, CPU, split=split)
    faces = {*names("faces")} | {
        name for name in names() if name.startswith(("akd", "aed", "face"))
    }
    of_the_learned_prior = {each.name for each in GENERATED}
    assert {*names()} - faces - of_the_learned_prior <= scores.keys()


def test_every_snapshot_has_the_main_scores_of_the_test_split(
    model: S3VAE, clips: ClipFile, judge: Judge, tmp_path: Path
) -> None:
    for step in (1, 2):
        save_model(model, tmp_path / "snapshots" / f"{step}")
    save_model(model, tmp_path / "model", tmp_path / "snapshots")
    real = real_clips(judge, clips, SETTINGS, CPU)
    first, second = learning_curve(tmp_path / "model", judge, clips, real, CPU)
    assert first.keys() == {"step", *names("headline", "separation")}
    assert second == first | {"step": 2}


@pytest.mark.parametrize(("crop", "scored"), [("face", True), ("centre", False)])
def test_faces_are_compared_if_the_clips_are_cropped_to_them(
    crop: str,
    scored: bool,
    model: S3VAE,
    judge: Judge,
    squares_set: ClipSet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_clips(tmp_path / "clips.h5", replace(squares_set, parameters={"crop": crop}))
    monkeypatch.setattr(evaluate, "face_scores", lambda frames: {"akd": float(len(frames.swaps))})
    scores, _ = score(model, judge, ClipFile(tmp_path / "clips.h5"), None, SETTINGS, CPU)
    assert ("akd" in scores) is scored


def test_an_inaccurate_judge_scores_nothing(clips: ClipFile, judge: Judge) -> None:
    with pytest.raises(InaccurateJudgeError, match=r"motion \d"):
        real_clips(judge, clips, EvaluationSettings(), CPU)


def with_mistakes(mistakes: int, clips: int = 100) -> RealClips:
    """Return clips for which a judge has all shapes right and some motions wrong."""
    factors = (Factor("shape", "static", ("a", "b")), Factor("motion", "dynamic", ("x", "y")))
    right = np.arange(clips) % 2
    wrong = np.where(np.arange(clips) < mistakes, 1 - right, right)
    predictions = {"shape": np.eye(2)[right], "motion": np.eye(2)[wrong]}
    return RealClips(factors, {"shape": right, "motion": right}, predictions)


@pytest.mark.parametrize(("mistakes", "least"), [(0, 0.999), (2, 0.98)])
def test_a_judge_of_at_least_the_required_accuracy_passes(mistakes: int, least: float) -> None:
    check_judge(with_mistakes(mistakes), least)


def test_a_judge_that_errs_is_refused_with_factor_accuracy_and_remedy() -> None:
    with pytest.raises(InaccurateJudgeError, match=r"99\.90%.*: motion 98\.00%\..*judge\.train"):
        check_judge(with_mistakes(2), 0.999)


@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value")
def test_a_judge_without_a_test_clip_is_refused() -> None:
    with pytest.raises(InaccurateJudgeError):
        check_judge(with_mistakes(0, clips=0), 0.999)


@pytest.mark.parametrize("count", [1, 2])
def test_a_few_test_clips_are_scored_and_all_of_them_are_pictured(
    model: S3VAE, judge: Judge, squares_set: ClipSet, tmp_path: Path, count: int
) -> None:
    split = squares_set.split.copy()
    split[np.flatnonzero(split == 2)[count:]] = 1
    fewer = replace(squares_set, split=split, identity=np.arange(len(split)))
    write_clips(tmp_path / "clips.h5", fewer)
    clips = ClipFile(tmp_path / "clips.h5")
    settings = replace(SETTINGS, picture_clips=6)
    scores, _ = score(model, judge, clips, real_clips(judge, clips, settings, CPU), settings, CPU)
    assert scores["swap_static"] is not None
    assert (scores["mutual_information"] is None) == (count == 1)
    write_pictures(model, clips, settings, CPU, tmp_path / "pictures")
    side = 64 + GAP
    with Image.open(tmp_path / "pictures" / "swap.gif") as swap:
        assert swap.size == (side * (count + 1), side * (count + 1))


def test_without_a_dynamic_factor_its_scores_are_null_and_pictures_are_written(
    model: S3VAE, only_colours: ClipFile, tmp_path: Path
) -> None:
    judge = Judge({"colour": 2}, channels=3, width=4).eval()
    real = real_clips(judge, only_colours, SETTINGS, CPU)
    scores, _ = score(model, judge, only_colours, real, SETTINGS, CPU)
    undefined = {"swap_dynamic", "dynamic_leakage", "drawn_h_y", "probe_dynamic_from_static"}
    assert undefined <= {name for name, value in scores.items() if value is None}
    assert scores["accuracy"] == scores["static_preserved"]
    write_pictures(model, only_colours, SETTINGS, CPU, tmp_path / "pictures")
    assert (tmp_path / "pictures" / "swap.gif").is_file()
