"""The judge learns, predicts probabilities, and is restored from its folder."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Generator

from s3vae.data.clips import ClipFile
from s3vae.judge.learner import judge_losses
from s3vae.judge.network import Judge
from s3vae.judge.predictions import predict_clips
from s3vae.judge.saved import load_judge, save_judge
from s3vae.judge.scores import accuracy
from s3vae.tensors import to_unit

CPU = torch.device("cpu")
Draws = Callable[[int], Generator]
SIZES = {"colour": 2, "motion": 3}


def judge(**options: bool) -> Judge:
    torch.manual_seed(0)
    return Judge(SIZES, channels=3, width=4, **options)


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
    predictions = predict_clips(trained, clips, rows, CPU)
    for name in SIZES:
        assert accuracy(predictions[name], clips.labels(name)[rows]) == 1


def test_it_distinguishes_motions_by_the_order_of_frames(trained: Judge, clips: ClipFile) -> None:
    """Played backwards, left is right; single frames would give an accuracy of a third."""
    rows = clips.split("train")
    video = to_unit(torch.from_numpy(clips.frames(rows)).flip(1))
    predictions = {name: p.argmax(1).numpy() for name, p in trained.probabilities(video).items()}
    reversed_motion = np.array([1, 0, 2])[clips.labels("motion")[rows]]
    assert np.mean(predictions["motion"] == reversed_motion) > 0.85
    assert (predictions["colour"] == clips.labels("colour")[rows]).all()


@pytest.mark.parametrize(("channels", "time"), [(1, 5), (3, 1)])
@pytest.mark.parametrize("size", [(64, 64), (32, 48), (96, 96), (128, 64)])
@pytest.mark.parametrize("pooled", [False, True])
def test_every_factor_has_a_head_over_its_values(
    channels: int, time: int, size: tuple[int, int], pooled: bool
) -> None:
    logits = Judge(SIZES, channels, width=4, pooled=pooled)(torch.rand(2, time, channels, *size))
    assert {name: tuple(values.shape) for name, values in logits.items()} == {
        "colour": (2, 2),
        "motion": (2, 3),
    }


def test_probabilities_are_in_double_precision_and_sum_to_one() -> None:
    for predictions in judge().eval().probabilities(torch.rand(4, 3, 3, 64, 64)).values():
        assert predictions.dtype == torch.double
        assert not predictions.requires_grad
        torch.testing.assert_close(predictions.sum(-1), torch.ones(4, dtype=torch.double))


def test_the_total_loss_is_the_sum_over_factors() -> None:
    labels = {"colour": torch.tensor([0, 1]), "motion": torch.tensor([2, 0])}
    logits = {name: torch.zeros(2, size) for name, size in SIZES.items()}
    losses = {name: loss.item() for name, loss in judge_losses(logits, labels).items()}
    assert losses == pytest.approx({"colour": np.log(2), "motion": np.log(3), "total": np.log(6)})


@pytest.mark.parametrize("options", [{}, {"pooled": True}, {"differences": True}])
def test_a_loaded_judge_predicts_as_the_saved_one(
    tmp_path: Path, options: dict[str, bool], draws: Draws
) -> None:
    saved, video = judge(**options), torch.rand(4, 3, 3, 64, 64, generator=draws(0))
    saved(video)  # moves the statistics of batch normalization
    save_judge(saved.eval(), tmp_path / "judge")
    loaded = load_judge(tmp_path / "judge", CPU)
    assert not loaded.training
    for name, predictions in saved.probabilities(video).items():
        assert torch.equal(predictions, loaded.probabilities(video)[name])


def test_a_judge_saved_again_has_the_same_bytes(tmp_path: Path) -> None:
    save_judge(judge(), tmp_path / "first")
    save_judge(load_judge(tmp_path / "first", CPU), tmp_path / "second")
    for path in (tmp_path / "first").iterdir():
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes()


@pytest.mark.parametrize("pooled", [False, True])
def test_only_a_pooled_judge_is_invariant_to_position(pooled: bool, draws: Draws) -> None:
    """The convolutions are equivariant to shifts of an object amid black by whole strides."""
    network = judge(pooled=pooled).eval()
    here, there = torch.zeros(2, 1, 2, 3, 64, 64)
    pattern = torch.rand(1, 2, 3, 8, 8, generator=draws(0))
    here[..., 24:32, 24:32] = there[..., 32:40, 24:32] = pattern
    assert torch.allclose(network(here)["colour"], network(there)["colour"], atol=1e-5) is pooled


@pytest.mark.parametrize("pooled", [False, True])
def test_only_a_pooled_judge_is_invariant_to_the_order_of_frames(
    pooled: bool, draws: Draws
) -> None:
    network = judge(pooled=pooled).eval()
    video = torch.rand(2, 4, 3, 64, 64, generator=draws(0))
    forwards, backwards = (network(each)["motion"] for each in (video, video.flip(1)))
    assert torch.allclose(forwards, backwards, atol=1e-6) is pooled


def test_differences_represent_motion_independently_of_mean_and_scale(draws: Draws) -> None:
    network, plain = (judge(differences=each).eval() for each in (True, False))
    assert network.recurrent is not None
    for name, weight in network.recurrent.named_parameters():
        if name.startswith("weight_ih"):
            weight.data[:, : weight.shape[1] // 2] = 0  # ignores the features themselves
    features = torch.rand(2, 5, 128, generator=draws(0))
    another = 7 + 0.3 * features
    assert torch.allclose(network.summarize(features), network.summarize(another), atol=1e-3)
    assert not torch.allclose(plain.summarize(features), plain.summarize(another), atol=1e-3)
    assert not torch.allclose(*network.summarize(features), atol=1e-3)
