"""From a video to an evaluated model with frames of 96x64."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from s3vae.data.clips import ClipFile, write_clips
from s3vae.data.footage import Cut
from s3vae.data.videos import Videos
from s3vae.engine.checkpoint import Checkpoint
from s3vae.engine.schedule import TrainingSettings
from s3vae.evaluation.evaluate import real_clips, score
from s3vae.evaluation.pictures import GAP, write_pictures
from s3vae.evaluation.settings import EvaluationSettings
from s3vae.judge.network import Judge
from s3vae.model.architecture import architecture
from s3vae.signals.flow_file import FlowSignal, write_flow
from s3vae.signals.flow_grid import MotionSettings, clips_motion
from s3vae.training.build import fit_objective, objective_of, training_set_for
from s3vae.training.method import Method
from s3vae.training.presets import losses

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
    sizes = architecture("fast", decoder="warped", encoder_width=4, decoder_width=4)
    training = TrainingSettings(steps=6, batch_size=4, warmup=2)
    method = Method(sizes, losses("ours", exchange=None), training)
    data = training_set_for(method, tall_clips, FlowSignal(tmp_path / "flow.h5"))
    objective = objective_of(method, data)
    fit_objective(objective, data, method, Checkpoint(tmp_path, "tall"), CPU, label="tall")
    model, judge = objective.model.eval(), Judge({}, channels=3, width=4).eval()
    settings = EvaluationSettings(sampling_seeds=(0,), picture_clips=2, probe_clips=8)
    real = real_clips(judge, tall_clips, settings, CPU)
    scores, _ = score(model, judge, tall_clips, real, settings, CPU)
    assert scores["reconstruction_error"] is not None
    write_pictures(model, tall_clips, settings, CPU, tmp_path / "pictures")
    with Image.open(tmp_path / "pictures" / "swap.gif") as picture:
        assert picture.size == tuple(3 * (side + GAP) for side in SIZE[::-1])
