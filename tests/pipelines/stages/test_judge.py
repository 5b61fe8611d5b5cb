"""Stage `judge`: it trains on the clips of a data set, or on fresh ones of the same source."""

from pathlib import Path

import pytest

from pipelines.paths import Layout
from pipelines.stages.judge import fresh_clips, train_judge
from s3vae.data.clips import ClipFile, ClipSet, write_clips
from s3vae.data.download import DownloadError
from s3vae.data.smmnist.smmnist import SMMNIST
from s3vae.engine.schedule import TrainingSettings
from s3vae.judge.settings import JudgeSettings, JudgeStage


def test_two_runs_of_the_stage_write_the_same_bytes(
    squares_set: ClipSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("S3VAE_TRACKING", "off")
    files = Layout("squares")
    write_clips(files.clips, squares_set)
    training = TrainingSettings(steps=4, batch_size=6, validate_every=2)
    settings = JudgeStage(JudgeSettings(width=4), training, shift=2, mirror=True, frames=3)
    written = []
    for _ in range(2):
        train_judge(files, settings)
        paths = [*sorted(files.judge.iterdir()), files.scores("judge") / "metrics.json"]
        written.append([path.read_bytes() for path in paths])
    assert written[0] == written[1]


def test_fresh_clips_are_of_the_source_that_the_file_names_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("S3VAE_MIRROR", str(tmp_path / "empty"))
    monkeypatch.setattr("s3vae.data.smmnist.mnist.ORIGINS", ())
    settings = SMMNIST(digits="embedded", time=3, train=4, val=2, test=2)
    write_clips(Layout("digits").clips, settings.clips(Path("unused")))
    clips = ClipFile(Layout("digits").clips)
    clips.source, clips.parameters["digits"] = "MNIST", "any"
    with pytest.raises(DownloadError, match="mnist"):
        fresh_clips(clips)
