"""The judge: it learns, answers with probabilities, and survives being saved."""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy import ndarray
from torch import Generator

from s3vae.data.clips import ClipFile
from s3vae.judge.network import (
    Judge,
    judge_losses,
    load_judge,
    mirrored,
    moved,
    save_judge,
    some_frames,
)
from s3vae.judge.predictions import BATCH, judge_clips, video_batches
from s3vae.judge.scores import accuracy
from s3vae.tensors import to_unit

CPU = torch.device("cpu")
Draws = Callable[[int], Generator]
SIZES = {"colour": 2, "motion": 3}


def judge(seed: int = 0) -> Judge:
    torch.manual_seed(seed)
    return Judge(SIZES, channels=3, width=4)


@pytest.fixture(scope="module")
def trained(clips: ClipFile) -> Judge:
    """Train a judge on the squares of the train split."""
    learner, train = judge(), clips.split("train")
    video = to_unit(torch.from_numpy(clips.frames(train)))
    labels = {name: torch.from_numpy(clips.labels(name)[train]) for name in SIZES}
    optimizer = torch.optim.Adam(learner.parameters(), lr=5e-3)
    for _ in range(40):
        optimizer.zero_grad()
        judge_losses(learner(video), labels)["total"].backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return learner.eval()


def test_it_learns_every_factor(trained: Judge, clips: ClipFile) -> None:
    rows = clips.split("train")
    answers = judge_clips(trained, clips, rows, CPU)
    for name in SIZES:
        assert accuracy(answers[name], clips.labels(name)[rows]) == 1


def test_it_sees_motion_not_only_frames(trained: Judge, clips: ClipFile) -> None:
    """Played backwards, left is right and right is left: by frames alone a third could be right."""
    rows = clips.split("train")
    video = to_unit(torch.from_numpy(clips.frames(rows)).flip(1))
    answers = {name: p.argmax(1).numpy() for name, p in trained.probabilities(video).items()}
    mirrored = np.array([1, 0, 2])[clips.labels("motion")[rows]]
    assert np.mean(answers["motion"] == mirrored) > 0.85
    assert (answers["colour"] == clips.labels("colour")[rows]).all()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("time", [1, 5])
def test_every_factor_has_a_head_over_its_values(channels: int, time: int) -> None:
    logits = Judge(SIZES, channels, width=4)(torch.rand(2, time, channels, 64, 64))
    assert {name: tuple(values.shape) for name, values in logits.items()} == {
        "colour": (2, 2),
        "motion": (2, 3),
    }


def test_probabilities_are_in_double_precision_and_sum_to_one() -> None:
    for answers in judge().eval().probabilities(torch.rand(4, 3, 3, 64, 64)).values():
        assert answers.dtype == torch.double
        assert not answers.requires_grad
        torch.testing.assert_close(answers.sum(-1), torch.ones(4, dtype=torch.double))


def test_the_total_loss_is_the_sum_over_factors() -> None:
    labels = {"colour": torch.tensor([0, 1]), "motion": torch.tensor([2, 0])}
    logits = {name: torch.zeros(2, size) for name, size in SIZES.items()}
    found = judge_losses(logits, labels)
    assert found["colour"].item() == pytest.approx(np.log(2))
    assert found["motion"].item() == pytest.approx(np.log(3))
    assert found["total"].item() == pytest.approx(np.log(6))


def test_a_loaded_judge_answers_as_the_saved_one(tmp_path: Path) -> None:
    saved, video = judge(), torch.rand(4, 3, 3, 64, 64)
    saved(video)
    save_judge(saved.eval(), tmp_path / "judge")
    torch.manual_seed(1)
    loaded = load_judge(tmp_path / "judge", CPU)
    assert not loaded.training
    for name, answers in saved.probabilities(video).items():
        assert torch.equal(answers, loaded.probabilities(video)[name])


def test_a_judge_saved_again_has_the_same_bytes(tmp_path: Path) -> None:
    save_judge(judge(), tmp_path / "first")
    save_judge(load_judge(tmp_path / "first", CPU), tmp_path / "second")
    for path in (tmp_path / "first").iterdir():
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes()


def test_answers_come_in_the_order_of_the_clips_asked_for(clips: ClipFile) -> None:
    asked, some = np.array([7, 3, 40, 0]), judge().eval()
    together = judge_clips(some, clips, asked, CPU)
    for place, index in enumerate(asked):
        alone = judge_clips(some, clips, np.array([index]), CPU)
        for name in SIZES:
            np.testing.assert_allclose(together[name][place], alone[name][0], atol=1e-5)


def test_every_clip_is_read_once_and_only_when_called_for(
    clips: ClipFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = np.arange(BATCH + 5) % clips.clips
    read: list[int] = []
    whole = clips.frames

    def noted(some: ndarray) -> ndarray:
        read.extend(some.tolist())
        return whole(some)

    monkeypatch.setattr(clips, "frames", noted)
    batches = video_batches(clips, rows, CPU)
    assert read == []
    assert [len(batch()) for batch in batches] == [BATCH, 5]
    assert read == rows.tolist()


def test_a_moved_clip_is_the_clip_elsewhere_in_all_its_frames(draws: Draws) -> None:
    frames = torch.randint(255, (40, 3, 9, 11, 2), generator=draws(0)).byte()
    result = moved(frames, 2, draws(1))
    found = set()
    for clip, elsewhere in zip(frames, result, strict=True):
        (by,) = (
            (down, right)
            for down, right in product(range(-2, 3), repeat=2)
            if torch.equal(
                elsewhere[:, 2:-2, 2:-2], clip.roll((-down, -right), (1, 2))[:, 2:-2, 2:-2]
            )
        )
        found.add(by)
    assert len(found) > 12
    assert torch.equal(moved(frames, 0, draws(1)), frames)


def test_half_of_the_clips_are_mirrored_as_a_whole(draws: Draws) -> None:
    frames = torch.randint(255, (200, 3, 4, 5, 2), generator=draws(0)).byte()
    result = mirrored(frames, draws(1))
    same = [torch.equal(a, b) for a, b in zip(frames, result, strict=True)]
    flipped = [torch.equal(a, b.flip(2)) for a, b in zip(frames, result, strict=True)]
    assert all(a != b for a, b in zip(same, flipped, strict=True))
    assert 70 < sum(flipped) < 130


def test_what_a_move_uncovers_repeats_the_edge(draws: Draws) -> None:
    stripes = torch.arange(8, dtype=torch.uint8).repeat(30, 2, 8, 1)[..., None]
    moves = moved(stripes, 1, draws(0))[:, 0, 0, :, 0].tolist()
    assert {tuple(row) for row in moves} == {
        (0, 0, 1, 2, 3, 4, 5, 6),
        (0, 1, 2, 3, 4, 5, 6, 7),
        (1, 2, 3, 4, 5, 6, 7, 7),
    }


@pytest.mark.parametrize("pooled", [False, True])
def test_a_pooled_judge_does_not_see_where_an_object_is_and_the_other_does(
    pooled: bool, draws: Draws
) -> None:
    """Moved by whole strides of the convolutions, an object amid black looks the same to them."""
    torch.manual_seed(0)
    network = Judge(SIZES, channels=3, width=4, pooled=pooled).eval()
    here, there = torch.zeros(2, 1, 2, 3, 64, 64)
    pattern = torch.rand(1, 2, 3, 8, 8, generator=draws(0))
    here[..., 24:32, 24:32] = there[..., 32:40, 24:32] = pattern
    assert torch.allclose(network(here)["colour"], network(there)["colour"], atol=1e-5) is pooled


@pytest.mark.parametrize("pooled", [False, True])
def test_a_pooled_judge_does_not_see_in_which_order_frames_come_and_the_other_does(
    pooled: bool, draws: Draws
) -> None:
    torch.manual_seed(0)
    network = Judge(SIZES, channels=3, width=4, pooled=pooled).eval()
    video = torch.rand(2, 4, 3, 64, 64, generator=draws(0))
    forwards, backwards = (network(each)["motion"] for each in (video, video.flip(1)))
    assert torch.allclose(forwards, backwards, atol=1e-6) is pooled


def test_differences_tell_motion_whatever_it_is_the_motion_of_and_however_small(
    draws: Draws,
) -> None:
    torch.manual_seed(0)
    network, plain = (Judge(SIZES, 3, width=4, differences=of).eval() for of in (True, False))
    assert network.recurrent is not None
    for name, weight in network.recurrent.named_parameters():
        if name.startswith("weight_ih"):
            weight.data[:, : weight.shape[1] // 2] = 0  # deaf to the features themselves
    features = torch.rand(2, 5, 128, generator=draws(0))
    another = 7 + 0.3 * features
    assert torch.allclose(network.over_time(features), network.over_time(another), atol=1e-3)
    assert not torch.allclose(plain.over_time(features), plain.over_time(another), atol=1e-3)
    assert not torch.allclose(*network.over_time(features), atol=1e-3)


@pytest.mark.parametrize("kind", ["pooled", "differences"])
def test_a_judge_is_saved_as_what_it_is(tmp_path: Path, kind: str) -> None:
    torch.manual_seed(0)
    network = Judge(SIZES, channels=3, width=4, **{kind: True}).eval()
    save_judge(network, tmp_path / "judge")
    video = torch.rand(2, 3, 3, 64, 64)
    loaded = load_judge(tmp_path / "judge", CPU)
    assert torch.equal(loaded(video)["motion"], network(video)["motion"])


def test_some_frames_are_different_ones_of_the_same_clip_in_their_order(draws: Draws) -> None:
    clip, time = torch.meshgrid(torch.arange(20), torch.arange(6), indexing="ij")
    frames = (10 * clip + time).byte()[..., None, None, None]
    chosen = some_frames(frames, 4, draws(0))[..., 0, 0, 0].int()
    assert chosen.shape == (20, 4)
    assert (chosen // 10 == torch.arange(20)[:, None]).all()
    assert (chosen.diff(dim=1) > 0).all()
    assert len({tuple((row % 10).tolist()) for row in chosen}) > 5
    assert torch.equal(some_frames(frames, 6, draws(0)), frames)
