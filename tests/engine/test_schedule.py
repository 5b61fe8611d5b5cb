"""The learning rate over a training."""

import pytest

from s3vae.engine.schedule import TrainingSettings, learning_rate

SETTINGS = TrainingSettings(steps=1000, learning_rate=0.01, warmup=100)


def rates() -> list[float]:
    return [learning_rate(step, SETTINGS) for step in range(1001)]


def test_it_rises_in_equal_steps_from_nearly_0_to_the_full_rate() -> None:
    rise = rates()[:101]
    assert rise == pytest.approx([0.01 * (step + 1) / 101 for step in range(101)])


def test_it_falls_in_equal_steps_to_0_after_the_last_one() -> None:
    fall = rates()[100:]
    assert fall == pytest.approx([0.01 * left / 900 for left in range(900, -1, -1)])
    assert fall[-1] == 0


def test_every_step_learns_and_none_faster_than_the_full_rate() -> None:
    assert min(rates()[:-1]) > 0
    assert max(rates()) == 0.01


def test_without_a_warm_up_it_begins_in_full() -> None:
    assert learning_rate(0, TrainingSettings(steps=10, learning_rate=0.01, warmup=0)) == 0.01


@pytest.mark.parametrize("steps", [1, 50])
def test_a_training_shorter_than_its_warm_up_never_exceeds_the_full_rate(steps: int) -> None:
    settings = TrainingSettings(steps=steps, learning_rate=0.01, warmup=100)
    assert all(0 < learning_rate(step, settings) <= 0.01 for step in range(steps))


@pytest.mark.parametrize(
    ("name", "value"),
    [("steps", 0), ("batch_size", 1), ("learning_rate", 0), ("warmup", -1), ("clip_norm", 0)],
)
def test_what_cannot_be_trained_with_is_refused_by_its_name(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        TrainingSettings(**{"steps": 10, name: value})  # type: ignore[arg-type]
