"""The adversarial losses: hinge of the discriminators, and the generator's."""

import math

import pytest
import torch

from s3vae.baselines.mocogan.losses import category_loss, discriminator_loss, generator_loss


def test_a_discriminator_with_the_right_margin_has_no_loss() -> None:
    assert discriminator_loss(torch.tensor([1.0, 7.0]), torch.tensor([-1.0, -9.0])) == 0


@pytest.mark.parametrize("score", [0.0, 0.5, -0.5])
def test_a_discriminator_with_equal_scores_has_a_loss_of_two(score: float) -> None:
    scores = torch.full((3,), score)
    assert discriminator_loss(scores, scores) == pytest.approx(2)


def test_the_loss_of_the_generator_is_the_negative_mean_score() -> None:
    assert generator_loss(torch.tensor([1.0, 3.0])) == -2


def test_the_loss_of_categories_is_the_sum_of_their_cross_entropies() -> None:
    logits = {"action": torch.zeros(4, 9), "place": torch.zeros(4, 5)}
    labels = {name: torch.zeros(4, dtype=torch.long) for name in logits}
    assert category_loss(logits, labels) == pytest.approx(math.log(9) + math.log(5))
