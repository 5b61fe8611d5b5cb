"""Stage `judge`: what it learns from."""

import pickle
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the clips of a small SMMNIST."""
    from pipelines.paths import Layout
    from s3vae.data.clips import write_clips
    from s3vae.data.smmnist.smmnist import SMMNIST

    monkeypatch.chdir(tmp_path)
    settings = SMMNIST(digits="embedded", time=3, train=4, val=2, test=2)
    write_clips(Layout("digits").clips, settings.clips(Path("unused")))
    return tmp_path


@pytest.mark.usefixtures("drawn")
def test_fresh_clips_come_in_batches_that_a_resumed_training_draws_alike() -> None:
    from pipelines.paths import Layout
    from pipelines.stages.judge import JudgeStage, batches_from, fresh_clips
    from s3vae.data.clips import ClipFile
    from s3vae.engine.schedule import TrainingSettings
    from s3vae.evaluation.settings import JudgeSettings

    clips = ClipFile(Layout("digits").clips)
    stage = JudgeStage(JudgeSettings(), TrainingSettings(steps=5, batch_size=3), fresh=True)
    fresh = fresh_clips(clips)
    unbroken = list(batches_from(0, clips, stage, fresh))
    assert len(unbroken) == 5
    frames = np.concatenate([batch.frames.numpy() for batch in unbroken])
    assert len({clip.tobytes() for clip in frames}) == 15  # of a split of four
    assert all(set(batch.known) == {"smaller digit", "larger digit"} for batch in unbroken)
    for batch, resumed in zip(unbroken[3:], batches_from(3, clips, stage, fresh), strict=True):
        assert batch.frames.equal(resumed.frames)
        assert all(batch.known[name].equal(resumed.known[name]) for name in batch.known)


@pytest.mark.usefixtures("drawn")
def test_fresh_clips_are_read_ahead_by_another_process_alike(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from pipelines.paths import Layout
    from pipelines.stages.judge import JudgeStage, batches_from, fresh_clips
    from s3vae.data.clips import ClipFile
    from s3vae.engine.schedule import TrainingSettings
    from s3vae.evaluation.settings import JudgeSettings

    clips = ClipFile(Layout("digits").clips)
    stage = JudgeStage(JudgeSettings(), TrainingSettings(steps=4, batch_size=3), fresh=True)
    fresh = pickle.loads(pickle.dumps(fresh_clips(clips)))
    here = list(batches_from(0, clips, stage, fresh))
    monkeypatch.setenv("S3VAE_LOADERS", "1")
    for batch, there in zip(here, batches_from(0, clips, stage, fresh), strict=True):
        assert batch.frames.equal(there.frames)


def test_clips_that_are_not_drawn_are_refused_by_name(repository: Path) -> None:
    from pipelines.paths import Layout
    from pipelines.stages.judge import fresh_clips
    from s3vae.data.clips import ClipFile

    filmed = ClipFile(repository / Layout("toy").clips)
    filmed.parameters = {"kind": "sprites"}
    with pytest.raises(ValueError, match="toy cannot be drawn anew: take `fresh` out"):
        fresh_clips(filmed)


@pytest.mark.usefixtures("drawn")
def test_fresh_clips_are_of_the_source_that_the_file_names_or_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from pipelines.paths import Layout
    from pipelines.stages.judge import fresh_clips
    from s3vae.data.clips import ClipFile
    from s3vae.data.download import DownloadError

    monkeypatch.setenv("S3VAE_MIRROR", str(tmp_path / "empty"))
    monkeypatch.setattr("s3vae.data.smmnist.mnist.ORIGINS", ())
    clips = ClipFile(Layout("digits").clips)
    clips.source, clips.parameters["digits"] = "MNIST", "any"
    with pytest.raises(DownloadError, match="mnist"):
        fresh_clips(clips)
