"""MoCoGAN's adversarial losses and that of its categories."""

import math

import pytest
import torch

from s3vae.baselines.mocogan.losses import category_loss, discriminator_loss, generator_loss


def test_a_discriminator_that_is_sure_and_right_has_no_loss() -> None:
    loss = discriminator_loss(torch.tensor([20.0, 30.0]), torch.tensor([-20.0, -30.0]))
    assert loss == pytest.approx(0, abs=1e-6)


def test_a_discriminator_that_guesses_has_a_loss_of_two_log_two() -> None:
    zeros = torch.zeros(3, 4, 4)
    assert discriminator_loss(zeros, zeros) == pytest.approx(2 * math.log(2))


def test_the_loss_of_the_generator_is_minus_the_log_of_the_probability_of_being_real() -> None:
    logits = torch.tensor([math.log(3.0), 0.0])  # probabilities 3/4 and 1/2
    assert generator_loss(logits) == pytest.approx(-math.log(3 / 8) / 2)


def test_the_loss_of_categories_is_the_sum_of_their_cross_entropies() -> None:
    logits = {"action": torch.zeros(4, 9), "place": torch.zeros(4, 5)}
    labels = {name: torch.zeros(4, dtype=torch.long) for name in logits}
    assert category_loss(logits, labels) == pytest.approx(math.log(9) + math.log(5))
