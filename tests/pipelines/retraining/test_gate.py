"""The comparison of a new model with the champion."""

import pytest

from pipelines.retraining.gate import Scores, Verdict, verdict


def scores(accuracy: float | None, static_preserved: float | None) -> Scores:
    return {"accuracy": accuracy, "static_preserved": static_preserved}


GOOD = scores(0.98, 0.95)


@pytest.mark.parametrize(
    ("new", "champion"),
    [
        (scores(0.99, 0.95), True),
        (scores(0.98, 0.96), True),
        (scores(0.976, 0.97), True),  # worse within the margin, better in sum
        (scores(0.974, 0.99), False),  # worse by more than the margin in one
        (scores(0.99, 0.9), False),
        (scores(0.98, 0.95), False),  # equal
        (scores(0.979, 0.9505), False),
        (scores(0.9, 0.9), False),
    ],
)
def test_a_champion_is_better_in_sum_and_in_no_score_much_worse(
    new: Scores, champion: bool
) -> None:
    result = verdict(new, GOOD, margin=0.005)
    assert result.champion == champion
    assert f"{new['accuracy']:.2%} against 98.00%" in result.why


def test_the_margin_is_an_argument() -> None:
    assert verdict(scores(0.9, 1.0), GOOD, margin=0.1) == Verdict(
        False, "no better: accuracy 90.00% against 98.00%, static_preserved 100.00% against 95.00%"
    )
    assert "accuracy worse by more than 1.00%" in verdict(scores(0.9, 1.0), GOOD, margin=0.01).why


def test_models_with_scores_replace_nothing_and_champions_without_scores() -> None:
    assert verdict(scores(0.1, 0.1), None).champion
    assert verdict(scores(0.1, 0.1), scores(None, None)).champion


def test_models_without_scores_wait_for_the_user_unless_there_is_no_other() -> None:
    result = verdict(scores(None, 0.9), GOOD)
    assert not result.champion
    assert "was not judged (accuracy): `python -m pipelines.retraining.registry" in result.why
    assert verdict(scores(None, 0.9), None) == Verdict(
        True, "there was none, and it was not judged (accuracy)"
    )
