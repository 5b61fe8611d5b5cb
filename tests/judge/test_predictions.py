"""Predictions of real clips, in batches."""

import numpy as np
import pytest
import torch
from numpy import ndarray

from s3vae.data.clips import ClipFile
from s3vae.judge.network import Judge
from s3vae.judge.predictions import BATCH, predict_clips, video_batches

CPU = torch.device("cpu")


def test_predictions_have_the_order_of_the_indices(clips: ClipFile) -> None:
    torch.manual_seed(0)
    judge, indices = Judge({"motion": 3}, channels=3, width=4).eval(), np.array([7, 3, 40, 0])
    together = predict_clips(judge, clips, indices, CPU)["motion"]
    for row, index in zip(together, indices, strict=True):
        alone = predict_clips(judge, clips, np.array([index]), CPU)["motion"]
        np.testing.assert_allclose(row, alone[0], atol=1e-5)


def test_every_clip_is_read_once_and_only_when_its_batch_is_called(
    clips: ClipFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = np.arange(BATCH + 5) % clips.clips
    read: list[int] = []
    original = clips.frames

    def recorded(indices: ndarray) -> ndarray:
        read.extend(indices.tolist())
        return original(indices)

    monkeypatch.setattr(clips, "frames", recorded)
    batches = video_batches(clips, rows, CPU)
    assert read == []
    assert [len(batch()) for batch in batches] == [BATCH, 5]
    assert read == rows.tolist()
