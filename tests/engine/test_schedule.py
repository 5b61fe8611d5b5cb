"""The learning rate over a training."""

import pytest

from s3vae.engine.schedule import TrainingSettings, learning_rate

SETTINGS = TrainingSettings(steps=1000, learning_rate=0.01, warmup=100)


def rates() -> list[float]:
    return [learning_rate(step, SETTINGS) for step in range(1001)]


def test_the_rate_rises_linearly_to_its_maximum_and_falls_linearly_to_zero() -> None:
    assert rates()[:101] == pytest.approx([0.01 * (step + 1) / 101 for step in range(101)])
    assert rates()[100:] == pytest.approx([0.01 * left / 900 for left in range(900, -1, -1)])
    assert rates()[-1] == 0 < min(rates()[:-1])
    assert max(rates()) == 0.01


def test_without_a_warm_up_the_rate_starts_at_its_maximum() -> None:
    assert learning_rate(0, TrainingSettings(steps=10, learning_rate=0.01, warmup=0)) == 0.01


@pytest.mark.parametrize("steps", [1, 50])
def test_a_training_shorter_than_its_warm_up_never_exceeds_the_maximum(steps: int) -> None:
    settings = TrainingSettings(steps=steps, learning_rate=0.01, warmup=100)
    assert all(0 < learning_rate(step, settings) <= 0.01 for step in range(steps))


def test_more_clips_take_more_steps_but_never_fewer_than_stated() -> None:
    settings = TrainingSettings(steps=100, batch_size=16, least_passes=40)
    assert [settings.for_clips(clips).steps for clips in (3, 47, 48, 1600)] == [100, 100, 120, 4000]
    assert TrainingSettings(steps=100).for_clips(10**6).steps == 100
