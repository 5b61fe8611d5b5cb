"""MoCoGAN's adversarial losses and that of its categories."""

import math

import pytest
import torch

from s3vae.baselines.mocogan.losses import LOSSES, category_loss

KINDS = pytest.mark.parametrize("kind", LOSSES)


@KINDS
def test_a_discriminator_that_is_sure_and_right_has_no_loss(kind: str) -> None:
    loss = LOSSES[kind].discriminator(torch.tensor([20.0, 30.0]), torch.tensor([-20.0, -30.0]))
    assert loss == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("kind", "loss"), [("published", 2 * math.log(2)), ("bounded", 2)])
def test_a_discriminator_that_guesses_has_the_loss_of_a_guess(kind: str, loss: float) -> None:
    zeros = torch.zeros(3, 4, 4)
    assert LOSSES[kind].discriminator(zeros, zeros) == pytest.approx(loss)


def test_the_losses_of_the_generator() -> None:
    logits = torch.tensor([math.log(3.0), 0.0])  # probabilities 3/4 and 1/2
    assert LOSSES["published"].generator(logits) == pytest.approx(-math.log(3 / 8) / 2)
    assert LOSSES["bounded"].generator(torch.tensor([1.0, 3.0])) == -2


def test_the_loss_of_categories_is_the_sum_of_their_cross_entropies() -> None:
    logits = {"action": torch.zeros(4, 9), "place": torch.zeros(4, 5)}
    labels = {name: torch.zeros(4, dtype=torch.long) for name in logits}
    assert category_loss(logits, labels) == pytest.approx(math.log(9) + math.log(5))
