"""The reader of categories: places and times of objects do not matter."""

import torch

from s3vae.baselines.mocogan.reader import CategoryReader


def test_order_and_place_of_an_object_do_not_matter() -> None:
    torch.manual_seed(0)
    reader = CategoryReader(1, 4, {"digit": 3, "other": 2}).eval()
    video = torch.zeros(1, 5, 1, 64, 64)
    video[:, :, :, 20:30, 20:26] = torch.rand(1, 5, 1, 10, 6)
    moved = video.flip(1).roll((8, 16), dims=(-2, -1))
    logits, others = reader(video), reader(moved)
    assert {name: len(each[0]) for name, each in logits.items()} == {"digit": 3, "other": 2}
    for name, each in logits.items():
        assert torch.allclose(each, others[name], atol=1e-5)
    assert not torch.allclose(reader(video / 2)["digit"], logits["digit"], atol=1e-5)
