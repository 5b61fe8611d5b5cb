"""The tool that scores drawn clips."""

from pathlib import Path

import pytest
import torch

from pipelines.paths import Layout
from pipelines.tools.drawn import scores_of_drawn_clips
from s3vae.baselines.saved import save_model
from s3vae.data.clips import ClipSet, write_clips
from s3vae.evaluation.settings import EvaluationSettings
from s3vae.judge.network import Judge, save_judge
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE


def test_a_model_without_a_learned_prior_gets_one(
    squares_set: ClipSet, tiny: Architecture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files = Layout("squares")
    write_clips(files.clips, squares_set)
    torch.manual_seed(0)
    save_model(S3VAE(tiny), files.model("tiny"))
    values = {factor.name: len(factor.values) for factor in squares_set.factors}
    save_judge(Judge(values, channels=3, width=4), files.judge)
    settings = EvaluationSettings(sampling_seeds=(0, 1))
    scores = scores_of_drawn_clips(files, "tiny", "train", settings)
    assert scores["learned"] != scores["standard"]
    assert scores == scores_of_drawn_clips(files, "tiny", "train", settings)
