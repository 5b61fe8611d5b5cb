"""Facial distances predicted from z_t, against the true ones."""

from pathlib import Path

import numpy as np
import pytest
import torch

from s3vae.data.clips import ClipFile
from s3vae.evaluation.codes import Codes
from s3vae.evaluation.distances import distance_scores, draw_distances, predict_distances
from s3vae.model.architecture import architecture
from s3vae.model.s3vae import S3VAE
from s3vae.signals.landmark_file import LandmarkSignal, write_landmarks
from s3vae.signals.landmarks import Landmarks


@pytest.fixture
def signal(tmp_path: Path, clips: ClipFile) -> LandmarkSignal:
    """Return random landmarks, none in the last clip."""
    generator = np.random.default_rng(0)
    points = generator.normal(30, 5, (clips.clips, clips.time, 68, 2)).astype(np.float32)
    found = np.ones((clips.clips, clips.time), bool)
    found[-1] = False
    path = tmp_path / "landmarks.h5"
    write_landmarks(path, [Landmarks(points, found)], {"longest_gap": 0}, clips.sha256)
    return LandmarkSignal(path)


def test_r2_is_1_for_the_true_distances_and_0_for_their_mean(signal: LandmarkSignal) -> None:
    rows = np.arange(len(signal))[-6:]
    true = signal.distances[rows].astype(np.float64)
    assert distance_scores(true, signal, rows)["distances_explained"] == pytest.approx(1)
    flat = np.broadcast_to(true[:-1].mean(axis=(0, 1)), true.shape)
    scores = distance_scores(np.array(flat), signal, rows)
    assert scores["distances_explained"] == pytest.approx(0, abs=1e-6)
    assert len(scores) == 4


def test_predictions_have_the_unit_of_the_landmarks(
    clips: ClipFile, signal: LandmarkSignal
) -> None:
    model = S3VAE(architecture("fast", encoder_width=4, decoder_width=4, signal=3))
    last = model.signal_head[-1]
    last.weight.data.zero_()
    last.bias.data.copy_(torch.tensor([0.0, 1.0, -2.0]))
    sizes = model.architecture
    codes = Codes(torch.zeros(2, sizes.static), torch.zeros(2, clips.time, sizes.dynamic))
    train = clips.split("train")
    of_train = signal.distances[train[signal.whole[train]]]
    mean, spread = of_train.mean(axis=(0, 1)), of_train.std(axis=(0, 1))
    predicted = predict_distances(model, codes, clips, signal)
    assert predicted.shape == (2, clips.time, 3)
    assert np.allclose(predicted, mean + np.array([0, 1, -2]) * spread, atol=1e-5)


def test_the_picture_is_a_png(tmp_path: Path, signal: LandmarkSignal) -> None:
    draw_distances(
        tmp_path / "a.png", signal.distances[:2].astype(np.float64), signal.distances[:2]
    )
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
