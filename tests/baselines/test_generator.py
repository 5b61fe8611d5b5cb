"""MoCoGAN's generator and its categories."""

from collections.abc import Callable

import pytest
import torch
from torch import Generator

from s3vae.baselines.interface import Categories
from s3vae.baselines.mocogan.generator import MoCoGAN
from s3vae.model.architecture import Architecture

Draws = Callable[[int], Generator]
TIME = 5
ACTIONS = Categories("dynamic", {"action": 3})
DIGITS = Categories("static", {"one": 10, "other": 10})


def test_all_categories_of_a_clip_are_one_hot_in_one_row() -> None:
    rows = DIGITS.one_hot({"one": torch.tensor([3, 0]), "other": torch.tensor([9, 1])})
    assert rows.shape == (2, DIGITS.size)
    assert rows.nonzero().tolist() == [[0, 3], [0, 19], [1, 0], [1, 11]]


def test_drawn_categories_are_equally_likely(draws: Draws) -> None:
    drawn = ACTIONS.draw(3000, draws(0))["action"]
    assert torch.bincount(drawn) / 3000 == pytest.approx(torch.full((3,), 1 / 3), abs=0.04)


@pytest.mark.parametrize(
    ("categories", "values", "changed"),
    [
        (ACTIONS, [{"action": 0}, {"action": 1}], "dynamic"),
        (DIGITS, [{"one": 1, "other": 9}, {"one": 2, "other": 9}], "static"),
    ],
)
def test_a_category_changes_its_own_code_and_not_the_other(
    categories: Categories,
    values: list[dict[str, int]],
    changed: str,
    tiny: Architecture,
    draws: Draws,
) -> None:
    model = MoCoGAN(tiny, categories)
    conditions = [{name: torch.tensor([v]) for name, v in each.items()} for each in values]
    static = [model.draw_static(each, draws(0)) for each in conditions]
    dynamic = [model.draw_dynamic(each, TIME, draws(0)) for each in conditions]
    assert torch.equal(*static) is (changed == "dynamic")
    assert torch.equal(*dynamic) is (changed == "static")


def test_a_motion_depends_on_earlier_draws_alone(tiny: Architecture, draws: Draws) -> None:
    model = MoCoGAN(tiny, ACTIONS)
    noise = torch.randn(1, TIME, tiny.dynamic + 3, generator=draws(0))
    states = model.recurrent(noise)[0]
    assert torch.allclose(model.recurrent(noise[:, :2])[0], states[:, :2], atol=1e-6)
    noise[:, 0] += 1
    assert not torch.allclose(model.recurrent(noise)[0][:, -1], states[:, -1])


def test_decoded_clips_are_intensities(tiny: Architecture, draws: Draws) -> None:
    model, labels = MoCoGAN(tiny, ACTIONS), {"action": torch.tensor([0, 2])}
    static = model.draw_static(labels, draws(0))
    video = model.decode(static, model.draw_dynamic(labels, TIME, draws(1)))
    assert video.shape == (2, TIME, 3, 64, 64)
    assert 0 <= video.min() <= video.max() <= 1
