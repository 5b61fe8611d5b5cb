"""From videos to an evaluated model with frames of 96x64 and of 128x128."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from pipelines.stages.landmarks import landmarks
from s3vae.data.clips import ClipFile, write_clips
from s3vae.data.faces.faces import Faces, filmed, scene, traits
from s3vae.data.footage import Cut
from s3vae.data.grid import SPEAKERS, Grid
from s3vae.data.videos import Videos
from s3vae.engine.checkpoint import Checkpoint
from s3vae.engine.schedule import TrainingSettings
from s3vae.evaluation.evaluate import real_clips, score
from s3vae.evaluation.pictures import write_pictures
from s3vae.evaluation.settings import EvaluationSettings
from s3vae.judge.network import Judge
from s3vae.model.architecture import architecture
from s3vae.signals.detectors import Dlib, FromClips, LandmarkSettings
from s3vae.signals.flow_file import FlowSignal, write_flow
from s3vae.signals.flow_grid import MotionSettings, clips_motion
from s3vae.signals.landmark_file import LandmarkSignal
from s3vae.tiles import GAP
from s3vae.training.build import fit_objective, objective_of, training_set_for
from s3vae.training.method import Method
from s3vae.training.presets import Signal, losses

CPU = torch.device("cpu")
SIZE = 96, 64


@pytest.fixture(scope="module")
def tall_clips(tmp_path_factory: pytest.TempPathFactory) -> ClipFile:
    """Clips of six videos, in each of which a grey square moves down over black."""
    folder = tmp_path_factory.mktemp("tall")
    for number in range(6):
        (folder / "mine" / f"{number}").mkdir(parents=True)
        for time in range(12):
            frame = np.zeros((120, 100, 3), np.uint8)
            frame[10 + 4 * time : 40 + 4 * time, 30:60] = 90 + 30 * number
            cv2.imwrite(str(folder / "mine" / f"{number}" / f"{time:02}.png"), frame)
    videos = Videos(cut=Cut(time=4, stride=1), size=SIZE, val=0.2, test=0.4)
    write_clips(folder / "clips.h5", videos.clips(folder / "mine"))
    return ClipFile(folder / "clips.h5")


def test_a_model_of_tall_frames_is_trained_scored_and_drawn(
    tall_clips: ClipFile, tmp_path: Path
) -> None:
    assert tall_clips.shape == (18, 4, *SIZE, 3)
    motion = clips_motion(tall_clips.frames(range(18)), MotionSettings())
    assert motion.cells[..., 2].mean() > 0  # down
    write_flow(tmp_path / "flow.h5", [motion], {}, tall_clips.sha256)
    train_and_score(tall_clips, FlowSignal(tmp_path / "flow.h5"), "cells", "warped", tmp_path)
    with Image.open(tmp_path / "pictures" / "swap.gif") as picture:
        assert picture.size == tuple(3 * (side + GAP) for side in SIZE[::-1])


@pytest.fixture(scope="module")
def sentences(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Videos as those of GRID, of drawn faces."""
    raw = tmp_path_factory.mktemp("raw")
    (raw / "grid").mkdir()
    for number, name in enumerate(SPEAKERS):
        written = raw / "video.avi"
        writer = cv2.VideoWriter(str(written), cv2.VideoWriter.fourcc(*"FFV1"), 25, (128, 128))
        frames = filmed(traits(0, number), scene(0, number, "surprise", time=5), size=128)
        for time in range(75):
            writer.write(frames[time % 5, ..., ::-1].copy())
        writer.release()
        written.rename(raw / "grid" / f"{name}.mpg")
    return raw


@pytest.mark.parametrize(
    ("dataset", "backend"),
    [
        (Faces(people=3, takes=3, time=4, size=128), FromClips()),
        (Grid(crop="none", size=(128, 128), time=4, step=20), Dlib(enlarge=1)),
    ],
    ids=["faces", "grid"],
)
def test_faces_of_128_pixels_are_trained_with_their_landmarks_scored_and_drawn(
    dataset: Faces | Grid, backend: FromClips | Dlib, sentences: Path, tmp_path: Path
) -> None:
    write_clips(tmp_path / "clips.h5", dataset.clips(sentences))
    clips = ClipFile(tmp_path / "clips.h5")
    assert clips.shape[1:] == (4, 128, 128, 3)
    found = tmp_path / "landmarks.h5"
    landmarks(dataset.kind, clips.path, LandmarkSettings(backend), found)
    signal = LandmarkSignal(found)
    assert signal.whole.mean() > 0.9
    assert 64 < signal.points[signal.whole][..., 48:, 1].mean() < 100, "a mouth below the middle"
    train_and_score(clips, signal, "distances", "layered", tmp_path)


def train_and_score(
    clips: ClipFile, signal: FlowSignal | LandmarkSignal, name: Signal, decoder: str, folder: Path
) -> None:
    """Train for six steps, score and draw, with a judge that is not trained."""
    sizes = architecture("fast", decoder=decoder, encoder_width=4, decoder_width=4)
    training = TrainingSettings(steps=6, batch_size=4, warmup=2)
    method = Method(sizes, losses("ours", exchange=None, signal=name), training)
    data = training_set_for(method, clips, signal)
    objective = objective_of(method, data)
    fit_objective(objective, data, method, Checkpoint(folder, "sizes"), CPU, label="sizes")
    values = {factor.name: len(factor.values) for factor in clips.factors}
    model, judge = objective.model.eval(), Judge(values, channels=3, width=4).eval()
    settings = EvaluationSettings(
        sampling_seeds=(0,), picture_clips=2, probe_clips=8, least_judge_accuracy=0
    )
    real = real_clips(judge, clips, settings, CPU)
    scores, _ = score(model, judge, clips, real, settings, CPU)
    assert scores["reconstruction_error"] is not None
    write_pictures(model, clips, settings, CPU, folder / "pictures")
