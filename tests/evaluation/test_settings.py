"""What evaluation can be told."""

import pytest

from s3vae.evaluation.settings import EvaluationSettings, JudgeSettings


def test_there_are_three_sampling_seeds_and_a_strict_judge_unless_told_otherwise() -> None:
    settings = EvaluationSettings()
    assert len(set(settings.sampling_seeds)) == 3
    assert settings.least_judge_accuracy == 0.999


@pytest.mark.parametrize(
    ("name", "value"),
    [("sampling_seeds", ()), ("least_judge_accuracy", 1.1), ("picture_clips", 1), ("seeds", 3)],
)
def test_what_evaluation_cannot_be_told_is_refused_by_its_name(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        EvaluationSettings(**{name: value})  # type: ignore[arg-type]


def test_a_judge_has_some_width() -> None:
    with pytest.raises(ValueError, match="width"):
        JudgeSettings(width=0)
