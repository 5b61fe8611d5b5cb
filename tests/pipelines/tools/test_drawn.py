"""The tool that scores drawn clips."""

from pipelines.paths import Layout
from pipelines.tools.drawn import scores_of_drawn_clips
from s3vae.data.clips import ClipSet
from s3vae.evaluation.settings import EvaluationSettings
from s3vae.judge.network import Judge, save_judge


def test_a_model_without_a_learned_prior_gets_one(squares: Layout, squares_set: ClipSet) -> None:
    values = {factor.name: len(factor.values) for factor in squares_set.factors}
    save_judge(Judge(values, channels=3, width=4), squares.judge)
    settings = EvaluationSettings(sampling_seeds=(0, 1))
    scores = scores_of_drawn_clips(squares, "tiny", "train", settings)
    assert scores["learned"] != scores["standard"]
    assert scores == scores_of_drawn_clips(squares, "tiny", "train", settings)
