"""Which of two models is the champion."""

import pytest

from pipelines.retraining.gate import Verdict, verdict

GOOD = {"accuracy": 0.98, "static_preserved": 0.95}


def scores(accuracy: float | None, static_preserved: float | None) -> dict[str, float | None]:
    return {"accuracy": accuracy, "static_preserved": static_preserved}


@pytest.mark.parametrize(
    ("new", "champion"),
    [
        (scores(0.99, 0.95), True),
        (scores(0.98, 0.96), True),
        (scores(0.976, 0.97), True),  # within the margin worse, better in sum
        (scores(0.974, 0.99), False),  # worse by more than the margin in one
        (scores(0.99, 0.9), False),
        (scores(0.98, 0.95), False),  # the same is no better
        (scores(0.979, 0.9505), False),
        (scores(0.9, 0.9), False),
    ],
)
def test_a_champion_is_better_in_sum_and_in_nothing_much_worse(
    new: dict[str, float | None], champion: bool
) -> None:
    reached = verdict(new, GOOD, margin=0.005)
    assert reached.champion == champion
    assert f"{new['accuracy']:.2%} against 98.00%" in reached.why


def test_the_margin_is_what_is_asked_for() -> None:
    assert verdict(scores(0.9, 1.0), GOOD, margin=0.1) == Verdict(
        False, "no better: accuracy 90.00% against 98.00%, static_preserved 100.00% against 95.00%"
    )
    assert "accuracy worse by more than 1.00%" in verdict(scores(0.9, 1.0), GOOD, margin=0.01).why


def test_the_first_model_is_the_champion() -> None:
    assert verdict(scores(0.1, 0.1), None) == Verdict(True, "is the first one")


def test_what_was_not_judged_waits_for_a_human_even_if_it_is_the_first() -> None:
    for champion in (None, GOOD):
        reached = verdict(scores(None, 0.9), champion)
        assert not reached.champion
        assert "was not judged (accuracy): move the alias by hand" in reached.why


def test_a_judged_model_takes_the_place_of_one_that_never_was() -> None:
    assert verdict(GOOD, scores(None, None)).champion
