"""Stage `judge`: what it learns from."""

from pathlib import Path

import numpy as np
import pytest

FEW = "{kind: smmnist, digits: embedded, time: 3, train: 4, val: 2, test: 2}"


@pytest.fixture
def drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with params.yaml and the clips of a small SMMNIST."""
    from pipelines.layout import Layout
    from s3vae.data.clips import write_clips
    from s3vae.data.smmnist import SMMNIST

    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(f"datasets: {{digits: {{data: {FEW}}}}}")
    settings = SMMNIST(digits="embedded", time=3, train=4, val=2, test=2)
    write_clips(Layout("digits").clips, settings.clips(Path("unused")))
    return tmp_path


@pytest.mark.usefixtures("drawn")
def test_fresh_clips_come_in_batches_that_a_resumed_training_draws_alike() -> None:
    from pipelines.judge import JudgeStage, batches_from, fresh_clips
    from pipelines.layout import Layout
    from s3vae.data.clips import ClipFile
    from s3vae.evaluation.settings import JudgeSettings
    from s3vae.training.settings import TrainingSettings

    clips = ClipFile(Layout("digits").clips)
    stage = JudgeStage(JudgeSettings(), TrainingSettings(steps=5, batch_size=3), fresh=True)
    fresh = fresh_clips("digits", clips)
    unbroken = list(batches_from(0, clips, stage, fresh))
    assert len(unbroken) == 5
    frames = np.concatenate([batch.frames.numpy() for batch in unbroken])
    assert len({clip.tobytes() for clip in frames}) == 15  # of a split of four
    assert all(set(batch.known) == {"smaller digit", "larger digit"} for batch in unbroken)
    for batch, resumed in zip(unbroken[3:], batches_from(3, clips, stage, fresh), strict=True):
        assert batch.frames.equal(resumed.frames)
        assert all(batch.known[name].equal(resumed.known[name]) for name in batch.known)


@pytest.mark.usefixtures("drawn")
def test_a_data_set_that_cannot_draw_anew_is_refused_by_name() -> None:
    from pipelines.judge import fresh_clips
    from pipelines.layout import Layout
    from pipelines.params import ParamsError
    from s3vae.data.clips import ClipFile

    Path("params.yaml").write_text("datasets: {digits: {data: {kind: dsprites}}}")
    with pytest.raises(ParamsError, match=r"take `fresh` out of datasets\.digits\.judge"):
        fresh_clips("digits", ClipFile(Layout("digits").clips))


@pytest.mark.usefixtures("drawn")
def test_fresh_clips_of_another_source_than_the_file_s_are_refused() -> None:
    from pipelines.judge import fresh_clips
    from pipelines.layout import Layout
    from pipelines.params import ParamsError
    from s3vae.data.clips import ClipFile

    clips = ClipFile(Layout("digits").clips)
    clips.source = "MNIST"
    with pytest.raises(ParamsError, match="run the stage acquire anew"):
        fresh_clips("digits", clips)
