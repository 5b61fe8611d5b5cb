"""A separate judge reads each kind of factor apart from the other, also in pairs never shown."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Generator

from s3vae.data.clips import ClipFile
from s3vae.engine.schedule import TrainingSettings
from s3vae.judge.learner import judge_losses, new_judge
from s3vae.judge.predictions import predict_clips
from s3vae.judge.saved import load_judge, save_judge
from s3vae.judge.scores import accuracy
from s3vae.judge.separate import SeparateJudge
from s3vae.judge.settings import JudgeSettings, JudgeStage
from s3vae.tensors import Video, to_unit

CPU = torch.device("cpu")
Draws = Callable[[int], Generator]


@pytest.fixture
def judge() -> SeparateJudge:
    torch.manual_seed(0)
    return SeparateJudge({"colour": 2, "motion": 3}, channels=3, width=4, static=["colour"])


@pytest.fixture
def video(draws: Draws) -> Video:
    return torch.rand(4, 3, 3, 64, 64, generator=draws(0))


def test_it_reads_pairs_that_training_never_shows(
    judge: SeparateJudge, clips: ClipFile, draws: Draws
) -> None:
    """Red squares that move are shown to the left, cyan ones to the right."""
    rows, colour, motion = clips.split("train"), clips.labels("colour"), clips.labels("motion")
    shown = rows[(motion[rows] == 2) | (motion[rows] == colour[rows])]
    labels = {name: torch.from_numpy(clips.labels(name)[shown]) for name in ("colour", "motion")}
    frames = to_unit(torch.from_numpy(clips.frames(shown)))
    optimizer = torch.optim.Adam(judge.parameters(), lr=5e-3)
    for step in range(120):
        optimizer.zero_grad()
        losses = judge_losses(judge.learn(frames, draws(step)), labels)
        losses["total"].backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    unseen = np.setdiff1d(rows, shown)
    assert len(unseen) == 8
    for name, each in predict_clips(judge.eval(), clips, unseen, CPU).items():
        assert accuracy(each, clips.labels(name)[unseen]) == 1


def test_only_dynamic_factors_depend_on_the_order_of_frames(
    judge: SeparateJudge, video: Video
) -> None:
    before, backwards = judge.eval()(video), judge(video.flip(1))
    torch.testing.assert_close(backwards["colour"], before["colour"])
    assert not torch.allclose(backwards["motion"], before["motion"])


def test_only_dynamic_factors_are_learned_in_other_colours(
    judge: SeparateJudge, video: Video, draws: Draws
) -> None:
    before, changed = judge.eval()(video), judge.learn(video, draws(1))
    assert changed["colour"].equal(before["colour"])
    assert not torch.allclose(changed["motion"], before["motion"])


def test_a_loaded_judge_predicts_as_the_saved_one(
    judge: SeparateJudge, video: Video, tmp_path: Path
) -> None:
    judge(video)  # moves the statistics of batch normalization
    save_judge(judge.eval(), tmp_path / "judge")
    loaded = load_judge(tmp_path / "judge", CPU)
    features = loaded.features(video)
    assert features.equal(judge.features(video))
    assert loaded.logits(features)["colour"].equal(judge(video)["colour"])
    for name, each in judge.probabilities(video).items():
        assert each.equal(loaded.probabilities(video)[name])


def test_settings_choose_it_by_the_kinds_of_factors(clips: ClipFile) -> None:
    stage = JudgeStage(JudgeSettings(width=4, separate=True), TrainingSettings(steps=1))
    judge = new_judge(clips, stage, CPU)
    assert isinstance(judge, SeparateJudge)
    assert judge.sizes["static"] == ["colour"]
    assert judge(torch.rand(1, 2, 3, 64, 64)).keys() == {"colour", "motion"}


@pytest.mark.parametrize("option", ["pooled", "differences"])
def test_it_excludes_other_networks(option: str) -> None:
    with pytest.raises(ValidationError, match="`separate` excludes"):
        JudgeSettings(separate=True, **{option: True})
