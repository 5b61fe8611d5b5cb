"""What generator and discriminators want of each other's verdicts."""

import math

import pytest
import torch

from s3vae.baselines.mocogan.losses import category_loss, discriminator_loss, generator_loss


def test_a_discriminator_that_is_sure_and_right_loses_nothing() -> None:
    assert discriminator_loss(torch.tensor([1.0, 7.0]), torch.tensor([-1.0, -9.0])) == 0


def test_a_discriminator_that_tells_nothing_apart_loses_two() -> None:
    for verdict in (0.0, 0.5, -0.5):
        alike = torch.full((3,), verdict)
        assert discriminator_loss(alike, alike) == pytest.approx(2)


def test_a_generator_gains_as_much_as_verdicts_rise() -> None:
    assert generator_loss(torch.tensor([1.0, 3.0])) == -2


def test_categories_cost_their_cross_entropy_summed() -> None:
    logits = {"action": torch.zeros(4, 9), "place": torch.zeros(4, 5)}
    labels = {name: torch.zeros(4, dtype=torch.long) for name in logits}
    assert category_loss(logits, labels) == pytest.approx(math.log(9) + math.log(5))
