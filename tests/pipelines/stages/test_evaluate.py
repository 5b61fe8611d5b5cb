"""Stage `evaluate`: what was trained is pictured, whether it can be judged or not."""

from pathlib import Path

import pytest

from pipelines.paths import Layout
from pipelines.stages.evaluate import evaluate
from s3vae.baselines.saved import save_model
from s3vae.data.clips import ClipSet, write_clips
from s3vae.evaluation.settings import EvaluationSettings
from s3vae.judge.check import InaccurateJudgeError
from s3vae.judge.network import Judge, save_judge
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE


def test_a_model_without_an_accurate_judge_is_pictured_and_not_scored(
    squares_set: ClipSet, tiny: Architecture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("S3VAE_TRACKING", "off")
    files = Layout("squares")
    write_clips(files.clips, squares_set)
    save_judge(Judge({"colour": 2, "motion": 3}, channels=3, width=4), files.judge)
    save_model(S3VAE(tiny), files.model("s3vae"))
    with pytest.raises(InaccurateJudgeError, match="Nothing is scored"):
        evaluate(files, "s3vae", EvaluationSettings())
    written = {path.name for path in files.scores("s3vae").iterdir()}
    assert written == {"pictures"}
    assert (files.scores("s3vae") / "pictures" / "swap.gif").exists()
