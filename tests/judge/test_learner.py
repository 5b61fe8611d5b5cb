"""The training clips of a judge."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from s3vae.data.clips import ClipFile, ClipSet, write_clips
from s3vae.data.fresh import FreshClips
from s3vae.data.smmnist.smmnist import SMMNIST
from s3vae.data.splits import TEST
from s3vae.engine.checkpoint import Checkpoint
from s3vae.engine.fit import Fitted
from s3vae.engine.schedule import TrainingSettings
from s3vae.judge import learner
from s3vae.judge.learner import drawn_source, finished, judge_batches, unseen_pairs
from s3vae.judge.settings import JudgeSettings, JudgeStage

CPU = torch.device("cpu")
DIGITS = SMMNIST(digits="embedded", time=3, train=4, val=2, test=2)
SETTINGS = JudgeStage(JudgeSettings(), TrainingSettings(steps=5, batch_size=3), fresh=True)


@pytest.fixture
def digits(tmp_path: Path) -> ClipFile:
    """Return a small SMMNIST with four training clips."""
    write_clips(tmp_path / "clips.h5", DIGITS.clips(Path("unused")))
    return ClipFile(tmp_path / "clips.h5")


@pytest.fixture
def fresh(digits: ClipFile) -> FreshClips:
    return drawn_source(digits).fresh_clips(Path("unused"))


def test_every_fresh_clip_is_drawn_anew_and_labelled(digits: ClipFile, fresh: FreshClips) -> None:
    batches = list(judge_batches(0, digits, SETTINGS, fresh))
    frames = np.concatenate([batch.frames.numpy() for batch in batches])
    assert len({clip.tobytes() for clip in frames}) == 15
    assert all(batch.known.keys() == {"smaller digit", "larger digit"} for batch in batches)


@pytest.mark.parametrize(("first", "workers"), [(3, 0), (0, 1)])
def test_fresh_clips_are_equal_after_a_resume_and_in_another_process(
    first: int, workers: int, digits: ClipFile, fresh: FreshClips
) -> None:
    expected = list(judge_batches(0, digits, SETTINGS, fresh))[first:]
    pickled = pickle.loads(pickle.dumps(fresh))
    again = judge_batches(first, digits, SETTINGS, pickled, workers)
    for one, other in zip(expected, again, strict=True):
        assert one.frames.equal(other.frames)
        assert all(one.known[name].equal(other.known[name]) for name in one.known)


def test_clips_that_are_not_drawn_are_refused_with_the_remedy(clips: ClipFile) -> None:
    filmed = ClipFile(clips.path)
    filmed.parameters = {"kind": "sprites"}
    with pytest.raises(ValueError, match=r"squares are not drawn.*remove `fresh`"):
        drawn_source(filmed)


def test_a_judge_ends_when_it_is_perfect_or_no_longer_gets_better() -> None:
    def row(shape: float, colour: float) -> dict[str, float]:
        return {"step": 1.0, "val_accuracy_shape": shape, "val_accuracy_colour": colour}

    log = {"step": 2.0, "total": 0.1}
    perfect = replace(SETTINGS, perfect_validations=2)
    assert not finished([log], perfect)
    assert not finished([row(1, 1), row(1, 1), row(1, 0.99)], perfect)
    assert finished([row(0.9, 1), row(1, 1), log, row(1, 1), log], perfect)
    patient = replace(SETTINGS, patience=2)
    assert finished([row(0.6, 1), row(0.5, 1), log, row(1, 0.6)], patient)
    assert not finished([row(0.6, 1), row(0.5, 1), row(0.8, 0.7)], patient)
    assert not finished([row(0.6, 1), row(0.6, 1)], patient), "nothing before them"
    assert not finished([row(0.6, 1)] * 9, SETTINGS)


def test_pairs_that_training_never_shows_are_counted(tmp_path: Path, squares_set: ClipSet) -> None:
    assert unseen_pairs(written(tmp_path / "all.h5", squares_set)) == 0
    red_right = (squares_set.labels["colour"] == 0) & (squares_set.labels["motion"] == 1)
    split, identity = np.where(red_right, TEST, squares_set.split), np.arange(len(red_right))
    changes = {"split": split, "identity": identity}
    file = written(tmp_path / "some.h5", replace(squares_set, **changes))
    assert unseen_pairs(file) == pytest.approx(1 / 6)


@pytest.mark.parametrize("separate", [False, True])
def test_a_judge_of_whole_clips_warns_of_pairs_that_training_never_shows(
    separate: bool,
    clips: ClipFile,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(learner, "unseen_pairs", lambda _: 0.25)
    monkeypatch.setattr(learner, "fit", lambda *_, **__: Fitted([], 0.0))
    stage = replace(SETTINGS, network=JudgeSettings(width=4, separate=separate))
    judge = learner.new_judge(clips, stage, CPU)
    learner.fit_judge(judge, clips, stage, Checkpoint(Path("unused"), "unused"), CPU, print)
    assert ["never shows 25 %" in text for text in caplog.messages] == [True] * (not separate)


def written(path: Path, clips: ClipSet) -> ClipFile:
    write_clips(path, clips)
    return ClipFile(path)
